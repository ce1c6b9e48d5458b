"""The courier: records, requests and photos carried by hand, where no network reaches.

    export_file(town, partner, path)   write everything that partner may see (None: anyone)
    write_to(town, partner, out)       the same into an open file
    import_from(town, file)            read such a file; the same admission as a visit

A town here is node.app.Town; every call expects its database to be current.
"""

from node.courier.incoming import Arrived, import_file, import_from
from node.courier.outgoing import Made, export_file, write_to

__all__ = ["Arrived", "Made", "export_file", "import_file", "import_from", "write_to"]
