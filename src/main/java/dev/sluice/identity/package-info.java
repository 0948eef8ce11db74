/**
 * Public SPI and implementation of the identification of callers. Users import {@link dev.sluice.identity.IdentityResolver},
 * {@link dev.sluice.identity.TierResolver}, {@link dev.sluice.identity.Identity} and
 * {@link dev.sluice.identity.CredentialsRejectedException}; the other types are internal.
 */
@NullMarked
package dev.sluice.identity;

import org.jspecify.annotations.NullMarked;
