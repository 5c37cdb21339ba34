"""Cut over: move the applications of a migration to the target, with proof."""
