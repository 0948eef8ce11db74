package dev.sluice.service.api.identities.document;

/** JSON pointers (RFC 6901), which name fields in errors and in the audit log. */
public final class JsonPointers {

    private static final int MAX_TOKEN = 128;

    private JsonPointers() {
    }

    /** Returns the pointer to a member of the value that another pointer names. A long name is cut. */
    public static String member(String pointer, String name) {
        var token = name.length() <= MAX_TOKEN ? name : name.substring(0, MAX_TOKEN);
        var safe = new StringBuilder(pointer).append('/');
        token.codePoints().forEach(c -> {
            switch (c) {
                case '~' -> safe.append("~0");
                case '/' -> safe.append("~1");
                default -> safe.appendCodePoint(isSurrogate(c) ? '?' : c);
            }
        });
        return safe.toString();
    }

    private static boolean isSurrogate(int codePoint) {
        return codePoint >= Character.MIN_SURROGATE && codePoint <= Character.MAX_SURROGATE;
    }
}
