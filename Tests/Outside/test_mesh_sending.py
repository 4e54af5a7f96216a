"""What a sender asks of the host: sends with all headers, tracking, the lookups, by raw calls."""

import unittest
from urllib.parse import quote

from expected import POLICE, PRISON
from hosted import PARTIES, Hosted, changed_date
from mesh import ROOT
from program import NOTICE, SALLYPORT_MAILBOX, until

# Tracking of version 1: the fields of the protocol's list, of which only those may be used.
TRACKING_1 = set(
    "addressType checksum chunkCount compressFlag contentEncoding downloadTimestamp dtsId"
    " encryptedFlag expiryTime failureDate failureDiagnostic fileName fileSize isCompressed"
    " linkedMsgId localId meshRecipientOdsCode messageId messageType partnerId recipient"
    " recipientName recipientOrgCode recipientOrgName recipientSmtp sender senderName"
    " senderOdsCode senderOrgCode senderOrgName senderSmtp status statusCode statusDescription"
    " statusEvent statusSuccess statusTimestamp subject uploadTimestamp version workflowId".split()
)
TRACKING_2 = set(
    "message_id local_id workflow_id filename expiry_time upload_timestamp recipient"
    " recipient_name recipient_ods_code recipient_org_code recipient_org_name status_success"
    " status status_event status_timestamp status_description status_code".split()
)


class Sending(Hosted):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.police, cls.prison = cls.caller(POLICE), cls.caller(PRISON)

    # Send (5.6)

    def test_a_send_answers_with_an_opaque_id_in_both_versions(self):
        for version, name in ((1, "messageID"), (2, "message_id")):
            answer = self.prison.send(version=version)
            self.assertEqual((answer.status, set(answer.json)), (202, {name}))
            self.assertRegex(answer.json[name], r"^[A-Z0-9_]+$")

    def test_the_recipient_is_trimmed_and_raised_and_the_sender_is_who_has_the_token(self):
        headers = {"Mex-To": f" {SALLYPORT_MAILBOX.lower()} ", "Mex-From": self.police.mailbox}
        sent = self.prison.send(headers=headers).json["message_id"]
        self.assertEqual(self.prison.track(sent).json["recipient"], SALLYPORT_MAILBOX)
        self.assertEqual(self.police.track(sent).status, 404)

    def test_what_a_sender_may_say_about_a_message_comes_back_in_tracking(self):
        headers = {
            "Mex-LocalID": "invented-local",
            "Mex-FileName": "invented.p7m",
            "Mex-Subject": "invented subject",
            "Mex-PartnerID": "partner-1",
            "Mex-Content-Checksum": "sha-256: 00AA/ff",
            "Mex-Content-Encrypted": "yes",
            "Mex-Content-Compressed": "0",
        }
        sent = self.prison.send(headers=headers).json["message_id"]
        tracked = self.prison.track(sent.lower()).json
        self.assertLessEqual(set(tracked), TRACKING_2)
        self.assertEqual(tracked["message_id"], sent)
        self.assertEqual(tracked["local_id"], "invented-local")
        self.assertEqual(tracked["workflow_id"], NOTICE)
        first = self.prison.track(sent, version=1).json
        self.assertLessEqual(set(first), TRACKING_1)
        self.assertEqual(first["messageId"], sent)
        self.assertEqual(first["addressType"], "ALL")
        self.assertEqual((first["messageType"], first["version"]), ("Data", "1.0"))
        self.assertRegex(first["uploadTimestamp"], r"^[0-9]{14}$")
        self.assertRegex(first["status"], r"^[A-Z][a-z]+$")
        self.assertEqual(first["status"].lower(), self.prison.track(sent).json["status"])

    def test_a_sender_may_ask_for_the_headers_too(self):
        headers = {"Mex-LocalID": "asked-by-head", "Mex-Subject": "invented subject"}
        sent = self.prison.send(headers=headers).json["message_id"]
        head = self.prison.head(f"/inbox/{sent}")
        self.assertIn(head.status, {200, 410})  # 410 once it was refused
        self.assertEqual(head.body, b"")
        taken = self.prison.post(changed_date("2027-09-02"))
        until(lambda: self.prison.track(taken).json["status"] == "acknowledged")
        head = self.prison.head(f"/inbox/{taken}")
        self.assertEqual((head.status, head.body), (200, b""))
        self.assertEqual(head.mex["mex-messageid"], taken)
        self.assertEqual(head.mex["mex-to"], SALLYPORT_MAILBOX)
        self.assertEqual(self.police.head(f"/inbox/{taken}").status, 404)
        # What follows on the same connection is an answer and no rest of the last one.
        self.assertEqual(self.police.get("/count").status, 200)

    def test_the_limits_of_each_header_of_a_send(self):
        limits = {
            "Mex-To": 100,
            "Mex-WorkflowID": 300,
            "Mex-Chunk-Range": 20,
            "Mex-Subject": 500,
            "Mex-LocalID": 300,
            "Mex-FileName": 300,
            "Mex-PartnerID": 500,
            "Mex-Content-Encrypted": 20,
            "Mex-Content-Compressed": 20,
            "Mex-Content-Checksum": 100,
            "Mex-Content-Type": 100,
        }
        unknown = {"Mex-To", "Mex-WorkflowID", "Mex-Chunk-Range"}
        for name, limit in limits.items():
            with self.subTest(name=name):
                over = self.prison.send(headers={name: "a" * (limit + 1)})
                self.assert_invalid(over, ["header", name.lower()])
                at = self.prison.send(headers={name: "a" * limit})
                self.assertEqual(at.status, 417 if name in unknown else 202)

    def test_recipient_and_workflow_are_needed(self):
        for name in ("Mex-To", "Mex-WorkflowID"):
            answer = self.prison.send(headers={name: None})
            self.assert_invalid(answer, ["header", name.lower()])
            self.assertEqual(answer.json["detail"][0]["type"], "missing")

    # Tracking (9), lookup (10)

    def test_tracking_by_local_id_is_of_version_1_and_asks_for_one_message(self):
        local = "invented/local id"
        path = f"/outbox/tracking/{quote(local, safe='')}"
        self.assertEqual(self.prison.get(path).status, 404)
        sent = self.prison.send(headers={"Mex-LocalID": local}).json["message_id"]
        for version in (1, 2):
            answer = self.prison.get(path, version=version)
            self.assertEqual((answer.status, answer.kind), (200, "application/json"))
            self.assertEqual((answer.json["messageId"], answer.json["localId"]), (sent, local))
        self.assertEqual(self.police.get(path).status, 404)
        self.prison.send(headers={"Mex-LocalID": local})
        self.assert_refused(
            lambda version: self.prison.get(path, version=version), 300, "", "", "Multiple Choices"
        )

    def test_tracking_follows_a_notice_to_its_end(self):
        sent = self.prison.post(changed_date("2027-09-01"))
        until(lambda: self.prison.track(sent).json["status"] == "acknowledged")
        tracked = self.prison.track(sent).json
        self.assertIs(tracked["status_success"], True)
        for name in ("upload_timestamp", "status_timestamp"):
            self.assertRegex(tracked[name], r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+Z$")
        first = self.prison.track(sent, version=1).json
        self.assertEqual(first["statusSuccess"], "SUCCESS")
        self.assertRegex(first["downloadTimestamp"], r"^[0-9]{14}$")

    def test_the_lookups_show_sallyport_alone(self):
        shown = []
        for path in (f"/workflowsearch/{NOTICE}", f"/endpointlookup/SALLYPORT/{NOTICE}"):
            second = self.police.call("GET", ROOT + path, authorization=None)
            self.assertEqual((second.status, second.kind), (200, "application/json"))
            self.assertEqual(set(second.json), {"results"})
            shown += [entry["mailbox_id"] for entry in second.json["results"]]
        self.assertEqual(set(shown), {SALLYPORT_MAILBOX})
        first = self.police.call("GET", f"{ROOT}/workflowsearch/{NOTICE}", version=1)
        self.assertEqual(first.json["results"][0]["mailbox_id"], SALLYPORT_MAILBOX)
        first = self.police.call("GET", f"{ROOT}/endpointlookup/SALLYPORT/{NOTICE}", version=1)
        self.assertEqual(set(first.json), {"query_id", "results"})
        for mailbox, _ in map(self.story.mailbox, PARTIES):
            for path in (f"/endpointlookup/{mailbox}/{NOTICE}", f"/workflowsearch/{mailbox}"):
                answer = self.police.call("GET", ROOT + path, authorization=None)
                self.assertNotIn(mailbox.encode(), answer.body)
                self.assertEqual(answer.status, 200)
        nothing = self.police.call("GET", f"{ROOT}/workflowsearch/NO_SUCH_WORKFLOW")
        self.assertEqual((nothing.status, nothing.json), (200, {"results": []}))

if __name__ == "__main__":
    unittest.main()
