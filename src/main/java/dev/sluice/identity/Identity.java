package dev.sluice.identity;

import java.util.Optional;
import java.util.function.Function;

import org.jspecify.annotations.Nullable;

import dev.sluice.identity.chain.IdentityChain;

/**
 * Identity of a caller. Immutable.
 *
 * @param identifier identifier that requests are counted for, {@code user:<name>}, {@code ip:<address>} or any other of 1 to 256
 *        characters
 * @param source how the identity was established
 * @param tier tier that the credentials claim; null if there is none
 * @param chain the levels whose limits hold too: key, user, team and organisation
 * @param claims returns the text of a claim of the caller's token, by its name or a path with dots; null if there is none
 */
public record Identity(String identifier, Source source, @Nullable String tier, IdentityChain chain,
        Function<String, @Nullable String> claims) {

    private static final Function<String, @Nullable String> NO_CLAIMS = path -> null;

    /** Creates an identity that is not established by a token. */
    public Identity(String identifier, Source source, @Nullable String tier, IdentityChain chain) {
        this(identifier, source, tier, chain, NO_CLAIMS);
    }

    /** Creates an identity whose caller has no limits of their own. */
    public Identity(String identifier, Source source, @Nullable String tier) {
        this(identifier, source, tier, IdentityChain.NONE);
    }

    /** Means by which an identity was established. */
    public enum Source {
        /** An authenticated principal. */
        PRINCIPAL,
        /** A configured API key. */
        API_KEY,
        /** Headers of a proxy that may name the caller. */
        TRUSTED_HEADER,
        /** The address of the client: no credentials. */
        ADDRESS
    }

    private static final String USER = "user:";

    /**
     * Creates the identity of a user, {@code user:<name>}. A name that is too long for an identifier or contains an unpaired
     * surrogate is replaced by {@code sha256:} and its hash.
     *
     * @param name name of the user
     * @param source how the identity was established
     * @param tier tier of the user; null if there is none
     */
    public static Identity user(String name, Source source, @Nullable String tier) {
        return new Identity(Sha256.toIdentifier(USER, name), source, tier);
    }

    /** Returns the identifier for the key of an annotation, {@code key:<text>}; a text that is too long is hashed. */
    public static String keyIdentifier(String text) {
        return Sha256.toIdentifier("key:", text);
    }

    /** Returns a copy with the claims of a token. */
    Identity withClaims(Function<String, @Nullable String> ofToken) {
        return new Identity(identifier, source, tier, chain, ofToken);
    }

    static Identity address(String address) {
        return new Identity("ip:" + address, Source.ADDRESS, null);
    }

    /** Returns the name of the user; empty if the identity is not of a user. */
    public Optional<String> userName() {
        return source == Source.ADDRESS || !identifier.startsWith(USER)
                ? Optional.empty()
                : Optional.of(identifier.substring(USER.length()));
    }
}
