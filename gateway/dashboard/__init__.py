"""dashboard: the web page for people, which asks the same API as everybody else.

**Promise.**  It shows nothing and does nothing that /api/v1 does not: there is no route behind it but its own files, so
what a key may not do the page may not either.  It loads nothing from elsewhere, needs no build, and holds no state that
a reload would lose but the API key, which the browser forgets with the tab.

**Hostile words.**  Payloads, errors, tags and log lines are written by strangers.  The page makes text nodes of them
and never HTML; the policy that is sent with it lets a browser run no script but these files, and lets those parse no
string as HTML even if one of them tried.

**The way of a look.**  `board.js` reads the address behind the `#` and opens one view, a file each (`overview.js`,
`jobs.js`, …).  A view asks through `ask.js`, again and again through `watch.js`, makes nodes with `build.js`, and lays
them over what stands with `settle.js`, which changes only what differs: what was focused, selected or opened stays so.
"""
