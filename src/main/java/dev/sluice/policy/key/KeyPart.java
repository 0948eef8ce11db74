package dev.sluice.policy.key;

import java.util.List;
import java.util.Locale;

import dev.sluice.identity.Identity;
import dev.sluice.identity.Sha256;
import dev.sluice.text.PercentEncoding;

/**
 * Part of a key.
 *
 * @param kind what the value is read from
 * @param name name of the field, parameter, cookie, claim or path variable; null if the kind has none
 * @param optional whether the rule does not apply to a request without the part
 * @param label what precedes the value in an identifier: {@code header:x-tenant=}
 * @param hashed whether an identifier has the hash of the value, which may be a secret
 */
record KeyPart(Kind kind, String name, boolean optional, String label, boolean hashed) {

    /** Source of the value of a part. */
    enum Kind {
        CALLER, IP, USER, TEAM, ORG, HEADER, QUERY, COOKIE, CLAIM, PATH;

        private final String word = name().toLowerCase(Locale.ROOT);

        boolean hasName() {
            return ordinal() >= HEADER.ordinal();
        }

        String word() {
            return word;
        }
    }

    /** Parts of the names of fields that have secrets. */
    private static final List<String> SECRET_NAMES = List.of("auth", "key", "token", "secret", "passw", "pwd", "session",
            "cookie",
            "credential", "signature", "jwt", "otp");

    /** Stands for the value of a part that has too many. Values are percent-encoded, so that none has this form. */
    private static final String MANY_VALUES = "*";

    static KeyPart of(Kind kind, String name, boolean optional) {
        var label = new StringBuilder(kind.word());
        if (name != null) {
            PercentEncoding.appendEncoded(label.append(':'), name);
        }
        return new KeyPart(kind, name, optional, label.append('=').toString(), kind == Kind.COOKIE || isSecret(name));
    }

    private static boolean isSecret(String name) {
        return name != null && SECRET_NAMES.stream().anyMatch(name.toLowerCase(Locale.ROOT)::contains);
    }

    /** Returns the values that the request may have, different ones; empty if the part is absent. */
    List<String> values(KeySource source) {
        return switch (kind) {
            case CALLER -> List.of(source.caller().identifier());
            case IP -> valueOf(address(source));
            case USER -> valueOf(user(source.caller()));
            case TEAM -> valueOf(source.caller().chain().team());
            case ORG -> valueOf(source.caller().chain().org());
            case CLAIM -> valueOf(source.caller().claims().apply(name));
            case HEADER, QUERY, COOKIE, PATH -> readings(source).values(optional);
        };
    }

    private KeyReadings readings(KeySource source) {
        var readings = new KeyReadings();
        switch (kind) {
            case HEADER -> RequestValues.header(source.headers(), name, readings);
            case QUERY -> RequestValues.query(source.query(), name, readings);
            case COOKIE -> RequestValues.cookie(source.headers(), name, readings);
            default -> source.pathVariable().apply(name).forEach(value -> readings.add(value, true));
        }
        return readings;
    }

    private static List<String> valueOf(String value) {
        return value == null ? List.of() : List.of(value);
    }

    private static String address(KeySource source) {
        var address = source.address().get();
        return address == null ? null : address.identifier().substring(address.identifier().indexOf(':') + 1);
    }

    private static String user(Identity caller) {
        return caller.chain().user() == null ? caller.userName().orElse(null) : caller.chain().user();
    }

    /**
     * Appends the part with a value to an identifier. The empty value is not hashed: it is that of an absent part, too.
     *
     * @param value the value; null if the part has too many
     */
    void append(StringBuilder identifier, String value) {
        identifier.append(label);
        if (value == null) {
            identifier.append(MANY_VALUES);
        } else if (hashed && !value.isEmpty()) {
            identifier.append("sha256:").append(Sha256.hex(value));
        } else {
            PercentEncoding.appendEncoded(identifier, value);
        }
    }
}
