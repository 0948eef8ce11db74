package dev.sluice.window;

import java.util.Arrays;
import java.util.List;
import java.util.regex.Pattern;

/**
 * A reservation, as its text tells of it: {@code r-5f0c…-60-86400}. The text comes back from outside: it says where to look,
 * and what is found there says what was reserved.
 *
 * @param inRedis whether it is kept in Redis or in an instance's memory
 * @param name 32 hexadecimal digits
 * @param seconds the lengths of the windows it took from
 */
record Reservation(boolean inRedis, String name, List<Long> seconds) {

    private static final Pattern TEXT = Pattern.compile("([rm])-([0-9a-f]{32})((?:-[1-9]\\d{0,6}){1,64})");

    static Reservation of(boolean inRedis, String name, List<Claim> claims) {
        return new Reservation(inRedis, name, claims.stream().filter(Claim::reserved).map(claim -> claim.span() / 1_000_000)
                .distinct().toList());
    }

    /** Null where the text is no reservation's. */
    static Reservation parse(String text) {
        var found = TEXT.matcher(text);
        return found.matches()
                ? new Reservation("r".equals(found.group(1)), found.group(2),
                        Arrays.stream(found.group(3).substring(1).split("-")).map(Long::valueOf).toList())
                : null;
    }

    @Override
    public String toString() {
        var text = new StringBuilder(inRedis ? "r-" : "m-").append(name);
        seconds.forEach(length -> text.append('-').append(length));
        return text.toString();
    }
}
