"""The commands of ``petcore``. A command is one file; it is registered here and nowhere else."""

from __future__ import annotations

from importlib.metadata import version as installed_version
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from petcore.cli import (
    catalogue,
    clear,
    dealer,
    demo,
    doctor,
    edge,
    keygen,
    keys,
    log,
    network,
    node,
    pin,
    prepare,
    pseudonym,
    psi,
    render,
    settle,
    stock,
    train,
)
from petcore.errors import ConfigError, PetcoreError


class _Group(TyperGroup):
    """Shows an error of petcore's tree as one panel; everything else is a defect and is raised."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except PetcoreError as error:
            if ctx.params.get("debug"):
                raise
            render.show_error(error)
            raise typer.Exit(render.exit_code(error)) from error
        except ModuleNotFoundError as error:
            if ctx.params.get("debug") or (error.name or "petcore").startswith("petcore"):
                raise
            missing = ConfigError(
                f"this command needs {error.name}, which is not installed: "
                "pip install 'petcore[network]'"
            )
            render.show_error(missing)
            raise typer.Exit(render.exit_code(missing)) from error
        except KeyboardInterrupt:
            render.note("stopped")
            raise typer.Exit(130) from None  # as a shell reports SIGINT


app = typer.Typer(
    cls=_Group,
    no_args_is_help=True,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    add_completion=False,
)


@app.callback()
def petcore(
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks of errors.")] = False,
) -> None:
    """Compute with other companies on data that nobody shows."""


def version() -> None:
    """Print the version that is installed."""
    render.out.print(f"petcore {installed_version('petcore')}")


# One line per command, in the order in which a new user needs them.
app.command("demo")(demo.demo)
app.command("doctor")(doctor.doctor)
app.command("keygen")(keygen.keygen)
app.command("pin")(pin.pin)
app.command("dealer")(dealer.dealer)
app.command("node")(node.node)
app.command("edge")(edge.edge)
app.add_typer(network.app, name="network")
app.command("prepare")(prepare.prepare)
app.command("stock")(stock.stock)
app.command("psi")(psi.psi)
app.command("train")(train.train)
app.command("sealkey")(clear.sealkey)
app.command("share")(clear.share)
app.command("clear")(clear.clear)
app.command("combine")(clear.combine)
app.add_typer(pseudonym.app, name="pseudonym")
app.command("catalogue")(catalogue.catalogue)
app.add_typer(keys.app, name="keys")
app.add_typer(settle.app, name="settle")
app.add_typer(log.app, name="log")
app.command("version")(version)
