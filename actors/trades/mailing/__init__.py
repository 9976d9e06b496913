"""Mail that jobs send: composed here, taken by an SMTP server, or written into the outbox folder while there is none.

    from actors.trades.mailing.mail import Attachment, Mail
    from actors.trades.mailing.send import send

    sent = await send(Mail(to=["ada@example.org"], subject="Hello", text="…"))

send.py asks post.py, of which a process has one; that has compose.py write the mail and gives it to smtp.py over a
connection of pool.py, or to folder.py.
"""
