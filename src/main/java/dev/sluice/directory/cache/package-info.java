/** Cache of the identities of callers, and the notifications that keep it current. */
@NullMarked
package dev.sluice.directory.cache;

import org.jspecify.annotations.NullMarked;
