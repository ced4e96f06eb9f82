"""One module a format; `read.registry` names them and loads each when it is first used."""
