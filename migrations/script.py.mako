"""${message.rstrip(".")}.

Revision ${up_revision}, after ${down_revision or 'nothing'}.
"""

% for line in imports:
${line}
% endfor

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}
branch_labels = ${repr(branch_labels)}
depends_on = ${repr(depends_on)}


def upgrade() -> None:
    """Go one revision up."""
    ${upgrades}


def downgrade() -> None:
    """Go one revision back."""
    ${downgrades}
