/** Public API of the library: decisions, rates, annotations, administration. */
@NullMarked
package dev.sluice.api;

import org.jspecify.annotations.NullMarked;
