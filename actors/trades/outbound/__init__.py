"""Every request that a job makes into the world.

**Promise.**  Only http and https, only to public addresses or to what `WARREN_OUTBOUND_ALLOW` names, on the ports of
`WARREN_OUTBOUND_PORTS`; the address that was judged is the one that is connected to; each redirect is judged again.
An answer ends: it has a size (also unpacked) and a time.

**The way of a request.**  `fetch` is what a job calls; `guard` follows redirects and keeps the clock; `target` reads
the URL, `resolve` asks for its addresses, `addresses` judges them, `line` connects to one of these and `decode`
unpacks what comes.

**Failure modes.**  `failures` has all four: Forbidden and TooLarge fail a job for good, Unreachable and TooSlow are
tried again.
"""
