"""The bytes of artifacts over HTTP: told as what they are, and never run as a page of ours."""
