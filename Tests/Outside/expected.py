"""Who is told what in the demo story, written by hand from the Guidance, not from the rulebook.

Sources are paragraphs of the MAPPA Guidance ("G 3.27") unless they say otherwise. `needed` must be
in the copy whenever the notice holds it; `allowed` may be; anything else is one field too many.
"""

from typing import NamedTuple


class Told(NamedTuple):
    needed: frozenset[str]
    allowed: frozenset[str] = frozenset()
    source: str = ""


class Notice(NamedTuple):
    """One type: which role may send it, and what each recipient's role is told."""

    sender: frozenset[str]
    told: dict[str, Told]


def fields(text: str) -> frozenset[str]:
    return frozenset(text.split())


# The release notice has no field list in the Guidance; what it needs is two identifiers, the
# establishment, the dates, the area and the type of release (G 2.12, 15.3). Police and offender
# manager both hold prison number and PNC id of their own (G 14.25).
RELEASE = fields("prisonNumber pncId establishment releaseDate releaseArea releaseType")
CHANGE = RELEASE | fields("previousReleaseDate changeReason")

# "The text of the MAPPA J" is identity enough to match the customer, the restriction, its end,
# whether staff are at risk, and the offender manager's contact; nothing else (G 3.26, 3.27). A
# recipient is told if the offender does not know (G 3.28, 10.23).
J = Told(
    fields("name dateOfBirth restrictions endDate staffRisk offenderManagerContact"),
    fields("offenderAware"),
    "G 3.26-3.28",
)

PROBATION_OR_POLICE = frozenset({"probation", "police"})

NOTICES = {
    # A registration tells Sallyport what it needs in order to decide, and nobody else.
    "case.registered": Notice(PROBATION_OR_POLICE | {"yot", "mental-health"}, {}),
    "release-date.confirmed": Notice(
        frozenset({"prison"}),
        {"probation": Told(RELEASE), "police": Told(RELEASE)},
    ),
    "release-date.changed": Notice(
        frozenset({"prison"}),
        {"probation": Told(CHANGE), "police": Told(CHANGE)},
    ),
    # "Any unexpected release": police in the release area and the offender manager (G 15.7, 15.8).
    "release.unexpected": Notice(
        frozenset({"prison"}),
        {
            role: Told(
                fields("prisonNumber pncId releaseArea"),
                fields("establishment releaseDate releasedAt releaseTime releaseType reason")
                | fields("name dateOfBirth"),
            )
            for role in ("probation", "police")
        },
    ),
    "mappa-j.issued.release": Notice(PROBATION_OR_POLICE, {"jobcentre": J}),
    "mappa-j.issued.order": Notice(PROBATION_OR_POLICE, {"jobcentre": J}),
    "mappa-j.changed": Notice(PROBATION_OR_POLICE, {"jobcentre": J}),
    "mappa-j.ended": Notice(
        PROBATION_OR_POLICE,
        {"jobcentre": Told(fields("endDate"), J.needed | J.allowed)},
    ),
    # The employment adviser confirms to the offender manager or police officer (G 3.33).
    "mappa-j.acknowledged": Notice(
        frozenset({"jobcentre"}),
        {"probation": Told(frozenset(), fields("reference receivedOn acknowledgedOn note"))},
    ),
    "mappa-j.change-acknowledged": Notice(
        frozenset({"jobcentre"}),
        {"probation": Told(frozenset(), fields("reference receivedOn acknowledgedOn note"))},
    ),
    # MAPPA G to the receiving Co-ordinator, with the screening behind level 1 (G 17.4, 14.15).
    "transfer.level1-notified": Notice(
        PROBATION_OR_POLICE | {"coordinator"},
        {
            "coordinator": Told(
                fields("screening"),
                fields("name dateOfBirth pncId crn prisonNumber category level leadAgency")
                | fields("offenderManager offenderManagerContact receivingArea transferDate")
                | fields("sendingArea transferAgreed transferReference"),
            )
        },
    ),
    # Immigration tells the offender manager date, place and conditions (G 3.91, 25.15, 25.16).
    "fno.released": Notice(
        frozenset({"immigration"}),
        {
            "probation": Told(
                fields("releaseDate"),
                fields("name dateOfBirth nationality prisonNumber pncId crn")
                | fields("releasePlace place conditions releaseConditions releaseArea"),
            )
        },
    ),
}

# What no J may hold in any form (G 3.27): the items that the table of recipients forbids a
# Jobcentre, by field name.
NEVER_IN_A_J = fields(
    "offence indexOffence offences convictions address currentAddress releaseAddress prisonNumber"
    " pncId crn visorReference category level riskLevel riskToPublic releaseDate establishment"
    " releaseArea victim ethnicity religion nationality gender photograph"
)

# Words that an invented offence, sentence or address would use. A J speaks of none of them.
NEVER_SAID_IN_A_J = (
    *("assault", "rape", "murder", "manslaughter", "robbery", "burglary", "arson", "wounding"),
    *("sexual", "indecent", "grievous", "convicted", "conviction", "victim", "sentence", "prison"),
    *("street", "road", "avenue", "lane", "terrace", "flat "),
)
