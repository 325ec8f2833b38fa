from pkgutil import extend_path

# An editable install has this folder on the path; a user's own folder `tests` is found as well.
__path__ = extend_path(__path__, __name__)
