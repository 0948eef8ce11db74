package dev.sluice.store;

import java.util.regex.Pattern;

import dev.sluice.redis.HashTags;

/**
 * What windows are called in Redis. {@code sluice:{3f}:w:60:10:user:alice:api:/campaigns} is the window of 60 seconds of
 * {@code user:alice}, which has 10 characters, on {@code api:/campaigns}: the length keeps two names that are joined from
 * meaning a third.
 */
public final class WindowKeys {

    /** What the index calls a reservation; windows begin with a digit. */
    private static final String RESERVATION = "r:";

    private static final Pattern NAME = Pattern.compile("(?:r:|[1-9][0-9]{0,6}:).*", Pattern.DOTALL);

    private final HashTags keys;

    public WindowKeys(HashTags keys) {
        this.keys = keys;
    }

    public String window(String identifier, String name) {
        // <tag>w:<seconds>:<length>:<identifier>:<resource>
        int colon = name.indexOf(':');
        return keys.of(identifier) + windowHead(seconds(name)) + identifier.length() + ':' + identifier
                + name.substring(colon);
    }

    /** What stands between the tag and the identifier's length. */
    static String windowHead(long seconds) {
        return "w:" + seconds + ':';
    }

    /** What the index of an identifier calls a window. */
    public static String name(String resource, long seconds) {
        return seconds + ":" + resource;
    }

    public static long seconds(String name) {
        return Long.parseLong(name.substring(0, name.indexOf(':')));
    }

    public static String resource(String name) {
        return name.substring(name.indexOf(':') + 1);
    }

    public String index(String identifier) {
        return index(keys.of(identifier), identifier);
    }

    static String index(String tag, String identifier) {
        return tag + "i:" + identifier;
    }

    /** What a reservation took, by the name of the window: {@code bucket:cost}. */
    public String reservation(String identifier, String name) {
        return reservation(keys.of(identifier), identifier, name);
    }

    static String reservation(String tag, String identifier, String name) {
        return tag + name + ':' + identifier;
    }

    /** What the index calls a reservation. */
    public static String reservationName(String reservation) {
        return RESERVATION + reservation;
    }

    /** Returns whether the index may hold this name; others were put there by another program. */
    public static boolean isName(String name) {
        return NAME.matcher(name).matches();
    }

    public static boolean isWindow(String name) {
        return !name.startsWith(RESERVATION);
    }

    /** Matches every window, every index and every reservation. */
    public String pattern() {
        return keys.pattern("wir");
    }
}
