package dev.sluice.store;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;

import dev.sluice.redis.HashTags;

/**
 * Names of keys and index members in Redis. {@code sluice:{3f}:w:60:10:user:alice:api:/campaigns} is the window of 60 seconds of
 * {@code user:alice}, which has 10 characters, on {@code api:/campaigns}: the length makes the
 * concatenation of identifier and resource unambiguous. {@code …:w:86400@1764547200:…} is the window of the calendar period that
 * begins at this Unix time.
 */
public final class WindowKeys {

    /** Part of the key of slots of requests in flight between the hash tag and the identifier's length. */
    static final String SLOTS = "f:";

    /** Prefix of a reservation's index member; a window's begins with a digit. */
    private static final String RESERVATION_PREFIX = "r:";

    private static final Pattern MEMBER = Pattern.compile("(?:r:|[1-9][0-9]{0,7}(?:@-?[0-9]{1,12})?:).*", Pattern.DOTALL);

    private final HashTags hashTags;

    public WindowKeys(HashTags hashTags) {
        this.hashTags = hashTags;
    }

    public String window(String identifier, String member) {
        // <tag>w:<seconds>[@<start>]:<length>:<identifier>:<resource>
        int colon = member.indexOf(':');
        return hashTags.keyPrefix(identifier) + windowPrefix(member) + identifier.length() + ':' + identifier
                + member.substring(colon);
    }

    /** Returns the part of a window's key between the hash tag and the identifier's length. */
    static String windowPrefix(String member) {
        return "w:" + member.substring(0, member.indexOf(':') + 1);
    }

    /** Returns a sliding window's member in the index of its identifier. */
    public static String windowMember(String resource, long seconds) {
        return seconds + ":" + resource;
    }

    /** Returns a window's member in the index of its identifier. */
    public static String windowMember(WindowKey key) {
        long seconds = key.span() / 1_000_000;
        return key.isCalendar() ? seconds + "@" + key.start() + ':' + key.resource() : windowMember(key.resource(), seconds);
    }

    /** Returns the window of a {@linkplain #isMember valid} member that {@linkplain #isWindow is one}. */
    public static WindowKey windowKey(String member) {
        int colon = member.indexOf(':');
        int at = member.substring(0, colon).indexOf('@');
        return new WindowKey(member.substring(colon + 1), Long.parseLong(member.substring(0, at < 0 ? colon : at)) * 1_000_000,
                at < 0 ? WindowKey.SLIDING : Long.parseLong(member.substring(at + 1, colon)));
    }

    /** Returns the key of the slots of requests in flight: {@code sluice:{3f}:f:10:user:alice:api:/reports}. */
    public String slots(String identifier, String resource) {
        return hashTags.keyPrefix(identifier) + SLOTS + identifier.length() + ':' + identifier + ':' + resource;
    }

    /** Returns the key of the resources of an identifier that have leases: {@code sluice:{3f}:g:user:alice}. */
    public String leases(String identifier) {
        return hashTags.keyPrefix(identifier) + "g:" + identifier;
    }

    public String index(String identifier) {
        return index(hashTags.keyPrefix(identifier), identifier);
    }

    /** Returns the keys of the index, followed by those of the windows; more may be added. */
    public List<String> ofWindows(String identifier, List<String> members) {
        var names = new ArrayList<String>(members.size() + 2);
        names.add(index(identifier));
        members.forEach(member -> names.add(window(identifier, member)));
        return names;
    }

    static String index(String tag, String identifier) {
        return tag + "i:" + identifier;
    }

    /** Returns the key of a reservation: a hash of {@code bucket:cost} by window member. */
    public String reservation(String identifier, String member) {
        return reservation(hashTags.keyPrefix(identifier), identifier, member);
    }

    static String reservation(String tag, String identifier, String member) {
        return tag + member + ':' + identifier;
    }

    /** Returns a reservation's member in the index of its identifier. */
    public static String reservationMember(String reservation) {
        return RESERVATION_PREFIX + reservation;
    }

    /** Returns whether this is a valid index member; others were added by another program. */
    public static boolean isMember(String member) {
        return MEMBER.matcher(member).matches();
    }

    public static boolean isWindow(String member) {
        return !member.startsWith(RESERVATION_PREFIX);
    }

    /** Returns the glob pattern that matches every window, index and reservation. */
    public String pattern() {
        return hashTags.pattern("wir");
    }
}
