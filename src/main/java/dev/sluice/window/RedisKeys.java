package dev.sluice.window;

/**
 * What windows are called in Redis. {@code sluice:{3f}:w:60:10:user:alice:api:/campaigns} is the window of 60 seconds of
 * {@code user:alice}, which has 10 characters, on {@code api:/campaigns}: the length keeps two names that are joined from
 * meaning a third. The braces hold one of 256 hash tags, by the identifier: all that belongs to one identifier lies in one
 * slot of a cluster, and what goes to one slot may go together.
 */
final class RedisKeys {

    private static final int TAGS = 256;

    private final String prefix;
    private final String[] tags = new String[TAGS];

    RedisKeys(String prefix) {
        this.prefix = prefix;
        for (int i = 0; i < TAGS; i++) {
            tags[i] = prefix + ":{" + Integer.toHexString(TAGS + i).substring(1) + "}:";
        }
    }

    String window(String identifier, String name) {
        // <tag>w:<seconds>:<length>:<identifier>:<resource>
        int colon = name.indexOf(':');
        return tag(identifier) + "w:" + name.substring(0, colon) + ':' + identifier.length() + ':' + identifier
                + name.substring(colon);
    }

    /** What the index of an identifier calls a window. */
    static String name(String resource, long seconds) {
        return seconds + ":" + resource;
    }

    static long seconds(String name) {
        return Long.parseLong(name.substring(0, name.indexOf(':')));
    }

    static String resource(String name) {
        return name.substring(name.indexOf(':') + 1);
    }

    String index(String identifier) {
        return tag(identifier) + "i:" + identifier;
    }

    String probe() {
        return prefix + ":probe";
    }

    /** Matches every window and every index. */
    String pattern() {
        return escape(prefix) + ":{[0-9a-f][0-9a-f]}:[wi]:*";
    }

    private String tag(String identifier) {
        int hash = identifier.hashCode() * 0x9E3779B9;
        return tags[hash >>> 24];
    }

    private static String escape(String glob) {
        var escaped = new StringBuilder();
        for (char c : glob.toCharArray()) {
            if ("*?[]\\".indexOf(c) >= 0) {
                escaped.append('\\');
            }
            escaped.append(c);
        }
        return escaped.toString();
    }
}
