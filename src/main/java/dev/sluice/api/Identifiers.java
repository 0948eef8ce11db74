package dev.sluice.api;

/** What an identifier or a resource may be: 1 to 256 characters that UTF-8 can carry, taken verbatim. */
public final class Identifiers {

    public static final int MAX_LENGTH = 256;

    private Identifiers() {
    }

    /** Whether this is a name: not empty, not too long, no half of a surrogate pair alone. */
    public static boolean isValid(String name) {
        if (name == null || name.isEmpty() || name.length() > MAX_LENGTH) {
            return false;
        }
        for (int i = 0; i < name.length(); i++) {
            char c = name.charAt(i);
            if (Character.isLowSurrogate(c)) {
                return false;
            }
            if (Character.isHighSurrogate(c) && (++i == name.length() || !Character.isLowSurrogate(name.charAt(i)))) {
                return false;
            }
        }
        return true;
    }

    /** @throws IllegalArgumentException if this is no name; the message says {@code what} was wrong, not its value */
    public static String requireValid(String what, String name) {
        if (!isValid(name)) {
            throw new IllegalArgumentException(what + " must have 1 to " + MAX_LENGTH
                    + " characters and no unpaired surrogate");
        }
        return name;
    }
}
