"""Every door between two parties is shut, and says nothing of what lies behind it.

For every ordered pair of parties: what the one tries at the other's mailbox ends in the very bytes
that it gets for a mailbox or a message that does not exist, and in about the same time.
"""

import functools
import itertools
import random
import statistics
import time
import unittest
import uuid
from collections.abc import Callable, Iterator
from typing import ClassVar, NamedTuple

from expected import JOBCENTRE, POLICE, PRISON, PROBATION
from hosted import PARTIES, RECEIPTS, Hosted, changed_date
from mesh import ROOT, Answer, Caller
from program import NOTICE, SALLYPORT_MAILBOX, until

NOBODY = "NOBODY0001"
HANDSHAKE = {"mex-ClientVersion": "x", "mex-OSName": "x", "mex-OSVersion": "x"}

GUESSES = 400
TRIES = 200
APART = 3.0  # how far the medians may lie apart, at most


class Treasure(NamedTuple):
    """What a party has at the host that somebody else could ask for."""

    mailbox: str
    password: str
    inbox: list[str]
    sent: str
    local_id: str
    upload: str


# What one may try at somebody's mailbox, by its path.
AT_A_MAILBOX = [
    ("GET", "/inbox"),
    ("GET", "/inbox/rich"),
    ("GET", "/outbox/rich"),
    ("GET", "/count"),
    ("GET", ""),
    ("POST", ""),
    ("POST", "/update"),
    ("POST", "/outbox"),
]


def random_id() -> str:
    return uuid.uuid4().hex.upper()


def with_message(message: str) -> list[tuple[str, str]]:
    """What one may try with the id of a message, in one's own mailbox."""
    return [
        ("GET", f"/inbox/{message}"),
        ("GET", f"/inbox/{message}/1"),
        ("GET", f"/inbox/{message}/2"),
        ("HEAD", f"/inbox/{message}"),
        ("PUT", f"/inbox/{message}/status/acknowledged"),
        ("GET", f"/outbox/tracking?messageID={message}"),
        ("GET", f"/outbox/tracking/{message}"),
        ("POST", f"/outbox/{message}/2"),
    ]


class Doors(Hosted):
    treasures: ClassVar[dict[str, Treasure]]

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        waiting = cls.fill(3)
        cls.treasures = {}
        for party in PARTIES:
            caller = cls.caller(party)
            local = f"local-of-{party.replace(':', '-')}"
            receipts = len(caller.listed(RECEIPTS))
            sent = caller.send(headers={"Mex-LocalID": local}).json["message_id"]
            # Its receipt, for it could not be opened: nothing comes any more.
            until(lambda: len(caller.listed(RECEIPTS)) > receipts)
            opened = caller.send(b"first part", {"Mex-Chunk-Range": "1:2"})
            upload = opened.json.get("message_id") or random_id()
            copies = [c.recipient["delivery"] for c in cls.story.copies() if c.party == party]
            inbox = [delivery.replace("-", "").upper() for delivery in copies]
            inbox += caller.listed()
            cls.treasures[party] = Treasure(
                *cls.story.mailbox(party), inbox[-2:], sent, local, upload
            )
        assert set(waiting) & set(cls.treasures[POLICE].inbox)
        assert sum(bool(t.inbox) for t in cls.treasures.values()) >= 6

    def pairs(self) -> Iterator[tuple[Caller, Treasure]]:
        for one, other in itertools.permutations(PARTIES, 2):
            yield self.caller(one), self.treasures[other]

    @staticmethod
    def ask(caller: Caller, method: str, path: str, authorization: str = "") -> Answer:
        """Any of the calls, with what it needs to be a good one."""
        body = b"anything" if method == "POST" and "/outbox" in path else None
        headers = HANDSHAKE | {"Mex-To": SALLYPORT_MAILBOX, "Mex-WorkflowID": NOTICE}
        if path.endswith("/2"):
            headers["Mex-Chunk-Range"] = "2:2"
        return caller.call(method, path, body, headers, authorization=authorization)

    def test_the_treasures_are_there_for_their_owners(self):
        for party, treasure in self.treasures.items():
            caller = self.caller(party)
            for message in treasure.inbox:
                self.assertEqual(caller.get(f"/inbox/{message}").status, 200, party)
            self.assertEqual(caller.track(treasure.sent).status, 200, party)
            by_local = caller.get(f"/outbox/tracking/{treasure.local_id}")
            self.assertEqual(by_local.status, 200, party)

    def test_anothers_mailbox_reads_like_one_that_is_not_there(self):
        """With one's own token, with a made one, and even with the other's own password."""
        for caller, treasure in self.pairs():
            for method, path in AT_A_MAILBOX:
                absent = self.at(NOBODY, caller, "any", method, path)
                there = self.at(treasure.mailbox, caller, treasure.password, method, path)
                for name, answer in there.items():
                    self.assertEqual(answer.status, 403, (caller.party, name, method, path))
                    expected = absent[name].told
                    self.assertEqual(answer.told, expected, (caller.party, name, method, path))

    @functools.cache
    def at(
        self, mailbox: str, caller: Caller, password: str, method: str, path: str
    ) -> dict[str, Answer]:
        """What one is told at a mailbox by each token that one may come to have."""
        tokens = {
            "own": caller.token(),
            "made": caller.token(mailbox),
            "stolen": caller.token(mailbox, password=password),
        }
        where = f"{ROOT}/{mailbox}{path}"
        return {name: self.ask(caller, method, where, token) for name, token in tokens.items()}

    def test_anothers_message_reads_like_one_that_is_not_there(self):
        """Whatever of the other's: what it has got, what it has sent, what it is uploading."""
        absent: dict[tuple[str, int], Answer] = {}
        for caller, treasure in self.pairs():
            ids = [*treasure.inbox, treasure.sent, treasure.upload, treasure.local_id]
            for message in ids:
                for number, (method, path) in enumerate(with_message(message)):
                    answer = self.ask(caller, method, caller.own(path))
                    reference = absent.get((caller.party, number))
                    if reference is None:
                        path = with_message(random_id())[number][1]
                        reference = self.ask(caller, method, caller.own(path))
                        absent[caller.party, number] = reference
                    self.assertEqual(reference.status, 404, (method, path))
                    self.assertEqual(answer.told, reference.told, (caller.party, method, path))

    def test_nobody_posts_to_anothers_mailbox(self):
        for caller, treasure in self.pairs():
            told = [
                caller.send(headers={"Mex-To": mailbox, "Mex-Chunk-Range": chunk_range}).told
                for chunk_range in ("1:1", "1:2")
                for mailbox in (treasure.mailbox, NOBODY)
            ]
            self.assertEqual(told[0][0], 417)
            self.assertEqual(told[0], told[1], (caller.party, treasure.mailbox))
            self.assertEqual(told[2], told[3], (caller.party, treasure.mailbox))

    def test_sallyports_own_mailbox_is_as_shut_as_the_others(self):
        password = self.story.text(f"secrets/mailboxes/{SALLYPORT_MAILBOX}")
        for party in PARTIES:
            caller = self.caller(party)
            for method, path in AT_A_MAILBOX:
                told = []
                for mailbox in (SALLYPORT_MAILBOX, NOBODY):
                    token = caller.token(mailbox, password=password)
                    told.append(self.ask(caller, method, f"{ROOT}/{mailbox}{path}", token).told)
                self.assertEqual(told[0][0], 403, (party, path))
                self.assertEqual(told[0], told[1], (party, path))

    def test_guessed_ids_find_nothing(self):
        """Neighbours of ids that exist, made by changing few characters, and plain random ones."""
        chance = random.Random(20261122)
        known = [m for t in self.treasures.values() for m in (*t.inbox, t.sent, t.upload)]
        guesses: set[str] = set()
        while len(guesses) < GUESSES:
            letters = list(chance.choice(known))
            for place in chance.sample(range(len(letters)), chance.choice((0, 1, 1, 2, 32))):
                letters[place] = chance.choice("0123456789ABCDEF")
            guesses.add("".join(letters))
        thief = self.caller("police:northumbria")
        own = self.treasures[thief.party]
        guesses -= {*own.inbox, own.sent, own.upload}
        wanted = [self.ask(thief, m, thief.own(p)).told for m, p in with_message(random_id())]
        for guess in sorted(guesses):
            number = chance.randrange(len(wanted))
            method, path = with_message(guess)[number]
            self.assertEqual(self.ask(thief, method, thief.own(path)).told, wanted[number], path)

    def test_after_all_attempts_everything_lies_as_it_was(self):
        jobcentre, police = self.caller(JOBCENTRE), self.caller(POLICE)
        listed = police.listed()
        sent = self.treasures[POLICE].sent
        tracked = police.track(sent).body
        for method, path in [p for m in (*listed, sent) for p in with_message(m)]:
            self.ask(jobcentre, method, jobcentre.own(path))
        self.assertEqual(police.listed(), listed)
        self.assertEqual(police.track(sent).body, tracked)
        for message in listed:
            self.assertEqual(police.get(f"/inbox/{message}").status, 200)


class Times(Hosted):
    """What exists at another's takes as long to be refused as what exists nowhere."""

    def medians(self, *calls: Callable[[], Answer]) -> list[float]:
        """Milliseconds of each call, in the middle of many that are made in turn."""
        times: list[list[float]] = [[] for _ in calls]
        for turn in range(TRIES):
            order = list(enumerate(calls))
            for number, call in order if turn % 2 else reversed(order):
                begun = time.perf_counter()
                call()
                times[number].append(1000 * (time.perf_counter() - begun))
        return [statistics.median(series) for series in times]

    def test_a_refusal_takes_as_long_for_what_exists_as_for_what_does_not(self):
        prison, police = self.caller(PRISON), self.caller(POLICE)
        sent = prison.post(changed_date("2027-11-01"))
        until(lambda: bool(police.listed()))
        there = police.listed()[-1]
        thief = self.caller(JOBCENTRE)
        probation = self.story.mailbox(PROBATION)

        def at(mailbox: str) -> Callable[[], Answer]:
            def ask() -> Answer:
                token = thief.token(mailbox, password=probation[1])
                return thief.call("GET", f"{ROOT}/{mailbox}/inbox", authorization=token)

            return ask

        def to(mailbox: str) -> Callable[[], Answer]:
            return lambda: thief.send(headers={"Mex-To": mailbox})

        kinds = {"a mailbox": (at(probation[0]), at(NOBODY))}
        kinds["a send"] = (to(probation[0]), to(NOBODY))
        downloads = {"download": 0, "head": 3, "acknowledge": 4}
        asked = {name: (number, there) for name, number in downloads.items()}
        asked["tracking"] = (5, sent)
        for name, (number, message) in asked.items():
            kinds[name] = tuple(
                lambda number=number, message=message: Doors.ask(
                    thief,
                    with_message(message or random_id())[number][0],
                    thief.own(with_message(message or random_id())[number][1]),
                )
                for message in (message, "")
            )
        for name, calls in kinds.items():
            exists, absent = self.medians(*calls)
            print(f"{name}: exists at another's {exists:.2f} ms, exists nowhere {absent:.2f} ms")
            with self.subTest(name):
                self.assertLess(max(exists, absent) / min(exists, absent), APART)


if __name__ == "__main__":
    unittest.main()
