package dev.sluice.directory.cache;

import org.jspecify.annotations.Nullable;

import dev.sluice.api.StoreUnavailableException;
import io.smallrye.mutiny.Uni;

/** Looks up callers among the stored identities. What is in the cache is returned at once; other lookups read Redis. Thread-safe. */
public interface CallerDirectory {

    /** Beginning of every key that Sluice has generated. */
    String KEY_PREFIX = "sk-sluice-";

    /**
     * Returns whether a text can be a stored key, so that it is to be looked up: one that Sluice has generated, also after it was
     * deleted, and any other one if keys are stored. An instance that has not reached Redis since its start does not know whether
     * any are.
     */
    boolean mayHaveKey(String text);

    /** Returns whether any keys are stored; false if that is not known. */
    boolean hasKeys();

    /**
     * Returns whether a hash is known to belong to a stored key, valid or not, without reading Redis.
     *
     * @param hash SHA-256 of the text in lower-case hexadecimal
     */
    boolean isCachedKey(String hash);

    /**
     * Looks up a key in the cache.
     *
     * @param hash SHA-256 of the text in lower-case hexadecimal
     * @return null if it is to be {@linkplain #loadKey read}
     */
    @Nullable
    KeyResult findKey(String hash);

    /**
     * Reads a key from Redis.
     *
     * @return completes on the subscriber's event loop, if it is on one; fails with {@link StoreUnavailableException} if Redis does
     *         not reply and the key is not in the cache either
     */
    Uni<KeyResult> loadKey(String hash);

    /** Notes that a request with a key was identified, for its {@code last_used_at}. */
    void recordUse(ResolvedKey key);

    /**
     * Looks up the limits of a caller in the cache.
     *
     * @param user name of the user; null if there is none
     * @param team name of the team that the caller claims; null if there is none
     * @param org name of the organisation that the caller claims, which counts if the team has none; null if there is none
     * @return null if they are to be {@linkplain #loadCaller read}
     */
    @Nullable
    ResolvedCaller findCaller(@Nullable String user, @Nullable String team, @Nullable String org);

    /**
     * Reads the limits of a caller from Redis. If Redis does not reply, the caller has no limits of their own: the credentials are
     * valid without Redis, and the rule of the tier holds. Fails with {@link StoreUnavailableException} if a record cannot be read, or
     * too many others are being read.
     *
     * @return completes on the subscriber's event loop, if it is on one
     */
    Uni<ResolvedCaller> loadCaller(@Nullable String user, @Nullable String team, @Nullable String org);
}
