"""A person's text as safe markup: a little Markdown, none of their HTML, no pictures."""

from functools import lru_cache

import nh3
from markdown_it import MarkdownIt
from markupsafe import Markup

TAGS = {"p", "br", "strong", "em", "ul", "ol", "li", "a", "blockquote", "code"}
_READER = MarkdownIt("commonmark", {"html": False, "breaks": True}).disable(["image", "heading"])


@lru_cache(maxsize=256)
def prose(text: str) -> Markup:
    """Return `text` (Markdown as people type it) as markup that can be put on a page."""
    clean = nh3.clean(
        _READER.render(text),
        tags=TAGS,
        attributes={"a": {"href"}},
        url_schemes={"http", "https", "mailto"},
        link_rel="nofollow noopener noreferrer",
    )
    return Markup(clean)  # cleaned on the line above
