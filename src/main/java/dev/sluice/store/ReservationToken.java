package dev.sluice.store;

import java.util.Arrays;
import java.util.List;
import java.util.regex.Pattern;

/**
 * A reservation, as its text tells of it: {@code r-5f0c…-60-86400}. The text comes back from outside: it says where to look,
 * and what is found there says what was reserved.
 *
 * @param place where it is kept
 * @param name 32 hexadecimal digits
 * @param seconds the lengths of the windows it took from
 */
public record ReservationToken(Place place, String name, List<Long> seconds) {

    public enum Place {
        REDIS("r"), MEMORY("m"),
        /** In memory, and perhaps in Redis too, which did not answer in time. */
        BOTH("b");

        private final String letter;

        Place(String letter) {
            this.letter = letter;
        }

        private static Place of(String letter) {
            return "r".equals(letter) ? REDIS : "m".equals(letter) ? MEMORY : BOTH;
        }
    }

    private static final Pattern TEXT = Pattern.compile("([rmb])-([0-9a-f]{32})((?:-[1-9]\\d{0,6}){1,64})");

    public static ReservationToken of(Place place, String name, List<WindowClaim> claims) {
        return new ReservationToken(place, name,
                claims.stream().filter(WindowClaim::reserved).map(claim -> claim.span() / 1_000_000)
                        .distinct().toList());
    }

    /** Null where the text is no reservation's. */
    public static ReservationToken parse(String text) {
        var found = TEXT.matcher(text);
        return found.matches()
                ? new ReservationToken(Place.of(found.group(1)), found.group(2),
                        Arrays.stream(found.group(3).substring(1).split("-")).map(Long::valueOf).toList())
                : null;
    }

    @Override
    public String toString() {
        var text = new StringBuilder(place.letter).append('-').append(name);
        seconds.forEach(length -> text.append('-').append(length));
        return text.toString();
    }
}
