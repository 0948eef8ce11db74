/** Levels of a caller: key, user, team and organisation, each with limits of its own. */
@NullMarked
package dev.sluice.identity.chain;

import org.jspecify.annotations.NullMarked;
