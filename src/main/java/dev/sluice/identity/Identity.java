package dev.sluice.identity;

/**
 * Who is calling.
 *
 * @param identifier whose windows count: {@code user:<name>} or {@code ip:<address>}
 * @param source how that is known
 * @param tier the tier that came with it; null where none did
 */
public record Identity(String identifier, Source source, String tier) {

    public enum Source {
        /** An authenticated principal. */
        PRINCIPAL,
        /** A configured API key. */
        API_KEY,
        /** The headers of a trusted proxy. */
        TRUSTED_HEADER,
        /** Nothing but the client's address. */
        ADDRESS
    }

    private static final String USER = "user:";

    /** The identity of a user by name. */
    public static Identity user(String name, Source source, String tier) {
        return new Identity(Sha256.toIdentifier(USER, name), source, tier);
    }

    /** The identifier of a key that is no user's and no address's. */
    public static String keyIdentifier(String text) {
        return Sha256.toIdentifier("key:", text);
    }

    static Identity address(String address) {
        return new Identity("ip:" + address, Source.ADDRESS, null);
    }

    /** The user's name; null where only an address is known. */
    public String userName() {
        return source == Source.ADDRESS || !identifier.startsWith(USER) ? null : identifier.substring(USER.length());
    }
}
