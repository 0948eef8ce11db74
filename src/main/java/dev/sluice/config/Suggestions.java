package dev.sluice.config;

import java.util.Arrays;
import java.util.Collection;
import java.util.Comparator;
import java.util.Optional;

/** Suggests names for misspelt ones. */
public final class Suggestions {

    private static final int MAX_SUFFIX = 6;

    private Suggestions() {
    }

    /** Returns {@code "; did you mean …?"} with the closest name; empty if none is close. */
    public static String hint(String given, Collection<String> names) {
        return closest(given, names).map(name -> "; did you mean " + name + "?").orElse("");
    }

    /**
     * Returns the closest name: one that the given text continues by a few characters, or one within an edit distance of 1 to 4,
     * depending on the length.
     */
    public static Optional<String> closest(String given, Collection<String> names) {
        int maxDistance = Math.max(1, Math.min(4, given.length() / 4));
        return names.stream()
                .filter(name -> score(given, name) <= maxDistance)
                .min(Comparator.<String>comparingInt(name -> score(given, name)).thenComparing(Comparator.naturalOrder()));
    }

    private static int score(String given, String name) {
        if (name.length() > 3 && given.startsWith(name) && given.length() - name.length() <= MAX_SUFFIX) {
            return 1;
        }
        return distance(given, name);
    }

    /** Returns the Damerau–Levenshtein distance (optimal string alignment): insertions, deletions, substitutions, transpositions. */
    static int distance(String first, String second) {
        var beforePrevious = new int[second.length() + 1];
        var previous = new int[second.length() + 1];
        Arrays.setAll(previous, i -> i);
        for (int i = 1; i <= first.length(); i++) {
            var current = new int[second.length() + 1];
            current[0] = i;
            for (int j = 1; j <= second.length(); j++) {
                int substitution = first.charAt(i - 1) == second.charAt(j - 1) ? 0 : 1;
                current[j] = Math.min(Math.min(current[j - 1], previous[j]) + 1, previous[j - 1] + substitution);
                if (i > 1 && j > 1 && first.charAt(i - 1) == second.charAt(j - 2)
                        && first.charAt(i - 2) == second.charAt(j - 1)) {
                    current[j] = Math.min(current[j], beforePrevious[j - 2] + 1);
                }
            }
            beforePrevious = previous;
            previous = current;
        }
        return previous[second.length()];
    }
}
