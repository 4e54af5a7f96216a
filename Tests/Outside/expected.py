"""The demo story step by step: what each step sends, what comes of it, and who is told what.

Written by hand from the MAPPA Guidance ("G 3.27" is a paragraph) and from what the story sends, not
from the rulebook and not from a decision. Each set of fields is exact: one more tells somebody too
much, one less leaves somebody without what the duty is made of.
"""

from typing import Any, NamedTuple


class Told(NamedTuple):
    """What one recipient is told, by which lawful basis, and why."""

    fields: frozenset[str]
    basis: str
    source: str


class Step(NamedTuple):
    """One exchange of the story, as it stands at the end."""

    kind: str | None
    sender: str | None
    person: int
    sent: frozenset[str]
    outcome: str
    code: str | None
    told: dict[str, Told]

    @property
    def receipts(self) -> list["Receipted"]:
        """What its sender is told of it, one after the other."""
        return RECEIPTS.get((self.kind, self.person), {}).get(
            self.code, [Receipted(self.sender or "", "accepted")]
        )


class Receipted(NamedTuple):
    """One receipt: for whom, and what it says."""

    party: str
    outcome: str
    reasons: tuple[str, ...] = ()
    first: str | None = None


def fields(text: str) -> frozenset[str]:
    return frozenset(text.split())


PRISON, POLICE = "prison:durham", "police:durham"
PROBATION, JOBCENTRE = "probation:durham", "jobcentre:durham"
COORDINATOR, RECEIVING = "coordinator:durham", "coordinator:northumbria"
IMMIGRATION = "immigration:casework"

# Who may tell whom (Criminal Justice Act 2003 s.325): police, probation and prisons jointly, with
# the co-ordinator acting for them (G 1.33, 1.39); they and those who must co-operate (G 3.1-3.5);
# Immigration (G 3.88-3.91).
JOINTLY, CO_OPERATION, IMMIGRATION_LAW = "LB-02", "LB-01", "LB-12"

NUMBERS = fields("prisonNumber pncId crn")

# A registration tells Sallyport what it needs in order to decide; the co-ordinator and the prison
# learn the least by which they know the case and whom to tell (G 1.33, 14.25; 2.10, 2.12).
REGISTRATION = NUMBERS | fields("dateOfBirth category level area leadAgency offenderManager")
REGISTRATION |= fields("supervisedBy holdingPrison jobcentreArea releaseArea")
REGISTERED = {
    COORDINATOR: Told(
        fields("pncId crn category level leadAgency offenderManager"), JOINTLY, "G 1.33, 14.25"
    ),
    PRISON: Told(fields("prisonNumber pncId leadAgency offenderManager"), JOINTLY, "G 2.10, 2.12"),
}

# The release notice has no field list in the Guidance; what it needs is two identifiers, the
# establishment, the dates, the area and the type of release (G 2.12, 15.3). Police and offender
# manager both hold prison number and PNC id of their own (G 14.25).
RELEASE = fields("prisonNumber pncId establishment releaseDate releaseArea releaseType")
CHANGE = RELEASE | fields("previousReleaseDate changeReason")

# "The text of the MAPPA J" is identity enough to match the customer, the restriction, its end,
# whether staff are at risk, and the offender manager's contact; nothing else (G 3.26, 3.27). The
# reference is how the answer finds the J again (G 3.33).
J = fields("name dateOfBirth restrictions endDate staffRisk offenderManagerContact reference")
J_SENT = J | NUMBERS | fields("offenderAware")
ISSUED = {JOBCENTRE: Told(J, CO_OPERATION, "G 3.26, 3.27")}

# The employment adviser confirms to the offender manager that the J came (G 3.33).
ANSWER = fields("receivedOn adviserContact jReference")
ANSWERED = {PROBATION: Told(ANSWER, CO_OPERATION, "G 3.33")}

# The Jobcentre took part in the discussion; in writing it needs nothing but which one (G 3.28).
DISCUSSION = NUMBERS | fields("discussionDate discussionReference discussionReason")

# MAPPA G: the screening behind level 1, for a co-ordinator who does not know the person (G 17.4);
# identity as a co-ordinator keeps it (G 14.25).
TRANSFER = NUMBERS | fields("name dateOfBirth receivingArea screening")

# At level 2 and 3 the most recent minutes go from co-ordinator to co-ordinator (G 17.3); the agency that
# leads the case, and agreed the transfer, learns that they went (G 17.2, 17.5), and gets no second copy.
MINUTES = NUMBERS | fields("name receivingArea meetingDate minutes")
MINUTES_WENT = fields("prisonNumber pncId receivingArea meetingDate")

# The chapter on recall is missing: that police and prison are told is an assumption (G 1.21, 15.15,
# 15.16). Who arrests must know whom and why; who receives must know whom and how.
RECALL = NUMBERS | fields("name dateOfBirth recallDate recallType reasonClass")

# Date, place and conditions (G 3.91, 25.15, 25.16).
FNO = NUMBERS | fields("releasedOn place conditions")

# Who is released, where from, where to and when (G 15.7, 15.8). Nobody knows this person, so that
# there is no offender manager to tell.
UNEXPECTED = fields("prisonNumber pncId releaseDate releaseArea establishment")

ADULT, YOUTH, UNAWARE, FOREIGN_NATIONAL, UNREGISTERED = 1, 2, 3, 4, 5


def registered(person: int) -> Step:
    return Step("case.registered", PROBATION, person, REGISTRATION, "shared", None, REGISTERED)


def issued(person: int, outcome: str, code: str | None, more: str = "") -> Step:
    told = ISSUED if outcome == "shared" else {}
    sent = J_SENT | fields(more)
    return Step("mappa-j.issued.release", PROBATION, person, sent, outcome, code, told)


def answered(person: int) -> Step:
    return Step("mappa-j.acknowledged", JOBCENTRE, person, ANSWER, "shared", None, ANSWERED)


def of_release(kind: str, sent: frozenset[str]) -> Step:
    told = {party: Told(sent, JOINTLY, "G 2.12, 15.3") for party in (PROBATION, POLICE)}
    return Step(kind, PRISON, ADULT, sent, "shared", None, told)


def shared(
    kind: str, sender: str, person: int, sent: frozenset[str], told: dict[str, Told]
) -> Step:
    return Step(kind, sender, person, sent, "shared", None, told)


STORY = [
    registered(ADULT),
    registered(YOUTH),
    registered(UNAWARE),
    registered(FOREIGN_NATIONAL),
    of_release("release-date.confirmed", RELEASE),
    of_release("release-date.changed", CHANGE),
    # The offence goes nowhere, and the rest goes on.
    issued(ADULT, "shared", None, "offence"),
    answered(ADULT),
    # Only for those over 18 (G 3.25).
    issued(YOUTH, "refused", "JCP-02"),
    # A note that names an offence waits for an officer (G 3.27).
    issued(ADULT, "held", "FREE-01", "note"),
    # Waits for the discussion with the Jobcentre (G 3.28), which is the next step.
    issued(UNAWARE, "shared", None),
    shared(
        "mappa-j.prior-discussion.unaware",
        PROBATION,
        UNAWARE,
        DISCUSSION,
        {JOBCENTRE: Told(fields("discussionDate discussionReference"), CO_OPERATION, "G 3.28")},
    ),
    answered(UNAWARE),
    shared(
        "transfer.level1-notified",
        PROBATION,
        ADULT,
        TRANSFER,
        {RECEIVING: Told(TRANSFER, JOINTLY, "G 17.4, 14.15")},
    ),
    shared(
        "transfer.level23-minutes",
        COORDINATOR,
        UNAWARE,
        MINUTES,
        {
            RECEIVING: Told(MINUTES, JOINTLY, "G 17.3"),
            PROBATION: Told(MINUTES_WENT, JOINTLY, "G 17.2, 17.5"),
        },
    ),
    shared(
        "recall.initiated",
        PROBATION,
        ADULT,
        RECALL,
        {
            POLICE: Told(RECALL - {"crn"}, JOINTLY, "G 1.21"),
            PRISON: Told(
                fields("prisonNumber pncId name recallDate recallType"), JOINTLY, "G 15.15, 15.16"
            ),
        },
    ),
    shared(
        "fno.released",
        IMMIGRATION,
        FOREIGN_NATIONAL,
        FNO,
        {PROBATION: Told(FNO, IMMIGRATION_LAW, "G 3.91, 25.15")},
    ),
    shared(
        "release.unexpected",
        PRISON,
        UNREGISTERED,
        UNEXPECTED,
        {POLICE: Told(UNEXPECTED, JOINTLY, "G 15.8")},
    ),
    # Signed by another party than its source: nothing in it is believed, not even its type.
    Step(None, None, 0, frozenset(), "set-aside", "SEAL-031", {}),
    # The sealed bytes of the first release date once more.
    Step("release-date.confirmed", PRISON, 0, frozenset(), "set-aside", "duplicate", {}),
]

# What senders are told of their own messages beside "accepted". Every agency here but the Jobcentre
# may know who is managed under MAPPA (G 3.90, 6.21-6.28), and a sender answers for what it sends
# (G 8.10); nobody is told who else was told.
RECEIPTS: dict[tuple[str | None, int], dict[str | None, list[Receipted]]] = {
    ("mappa-j.issued.release", YOUTH): {
        "JCP-02": [Receipted(PROBATION, "refused", ("JCP-02",))],
    },
    ("mappa-j.issued.release", ADULT): {
        "FREE-01": [Receipted(PROBATION, "held", ("FREE-01",))],
    },
    # Told twice: that it waits for the discussion, and that it waits no more.
    ("mappa-j.issued.release", UNAWARE): {
        None: [Receipted(PROBATION, "held", ("JCP-01",)), Receipted(PROBATION, "accepted")],
    },
    # It went on although nobody is known by these identifiers, which a prison may know (G 2.10).
    ("release.unexpected", UNREGISTERED): {
        None: [Receipted(PRISON, "accepted", ("CASE-01", "FLAG-person-not-known"))],
    },
    # The signature that held was Immigration's. Nobody tells the prison of it but the operator.
    (None, 0): {"SEAL-031": [Receipted(IMMIGRATION, "set-aside", ("SEAL-031",))]},
    ("release-date.confirmed", 0): {
        "duplicate": [Receipted(PRISON, "duplicate", first="accepted")],
    },
}

PURPOSES = {JOINTLY: "manage-risk", CO_OPERATION: "manage-risk"}
PURPOSES[IMMIGRATION_LAW] = "immigration-protection"

# Every person is invented. The letter of a PNC id is year and figures, modulo 23, in the alphabet
# ZABCDEFGHJKLMNPQRTUVWXY.
PERSONS: dict[int, dict[str, Any]] = {
    1: {"name": "Invented Person One", "pncId": "2020/0000001E"},
    2: {"name": "Invented Person Two", "pncId": "2020/0000002F"},
    3: {"name": "Invented Person Three", "pncId": "2020/0000003G"},
    4: {"name": "Invented Person Four", "pncId": "2020/0000004H"},
    5: {"name": "Invented Person Five", "pncId": "2020/0000005J"},
}
for number, person in PERSONS.items():
    person |= {"prisonNumber": f"Z100{number}ZZ", "crn": f"X00000{number}"}

# What a person's agencies call it outside `data`; nobody else may ever read it.
SENDERS_REFERENCE = "demo-person-"

# Texts that the story sends and that say something about somebody.
OFFENCE = "an invented offence that must not get through"
NOTE = "Served a sentence for robbery; see file."
REASON = "Telling the person would raise the risk."
SCREENING = "Ordinary management by the lead agency is enough."
CONDITIONS = "To report each week."
PLACE = "Removal centre of invented Durham"
MINUTES_TEXT = "Minutes of an invented meeting: everybody in it is invented."

# The document that the story sends, byte for byte, and to whom alone it goes.
DOCUMENT = f"%PDF-1.4\n% {MINUTES_TEXT}\n%%EOF\n".encode()
GETS_THE_DOCUMENT = {("transfer.level23-minutes", RECEIVING)}

# All that may be read in no file, output or log line.
PERSONAL = {value for person in PERSONS.values() for value in person.values()}
PERSONAL |= {OFFENCE, NOTE, REASON, SCREENING, CONDITIONS, PLACE, MINUTES_TEXT}

# What no J may hold in any form (G 3.27), by field name.
NEVER_IN_A_J = fields(
    "offence indexOffence offences convictions previousConvictions address currentAddress"
    " releaseAddress prisonNumber pncId crn visorReference category level riskLevel riskToPublic"
    " releaseDate establishment releaseArea victim ethnicity religion nationality gender photograph"
)

# Words that an invented offence, sentence or address would use. A J speaks of none of them.
NEVER_SAID_IN_A_J = (
    *("assault", "rape", "murder", "manslaughter", "robbery", "burglary", "arson", "wounding"),
    *("sexual", "indecent", "grievous", "convicted", "conviction", "victim", "sentence", "prison"),
    *("street", "road", "avenue", "lane", "terrace", "flat ", "offence", "served"),
)

# Why each field of the story's first J is shared or withheld: its outcome, rule and paragraph.
RELEASED = ("released", "JCP-04", "MAPPA Guidance 3.22, 3.26")
FORBIDDEN = ("forbidden", "PRO-02", "MAPPA Guidance 3.27")
NO_RULE = ("no-rule", "PRO-01", "MAPPA Guidance 9.8")
J_EXPLAINED = dict.fromkeys(J, RELEASED)
J_EXPLAINED |= dict.fromkeys(NUMBERS | {"offence"}, FORBIDDEN)
J_EXPLAINED |= {"offenderAware": NO_RULE}
