package dev.sluice.identity.chain;

import java.util.Locale;

/**
 * Name of a model, in which {@code *} stands for any text. Names are compared as providers accept them: regardless of case and of white
 * space around them.
 */
public final class ModelPattern {

    private ModelPattern() {
    }

    /** Returns the form of a name or pattern that all its spellings share. */
    public static String normalize(String name) {
        return name.strip().toLowerCase(Locale.ROOT);
    }

    /**
     * Returns whether a name matches a pattern. Takes time that grows with the product of the lengths at most.
     *
     * @param pattern a {@linkplain #normalize normalized} pattern
     * @param name a normalized name
     */
    static boolean matches(String pattern, String name) {
        int at = 0;
        int star = -1;
        int resume = 0;
        for (int i = 0; i < name.length();) {
            if (at < pattern.length() && pattern.charAt(at) == '*') {
                star = at++;
                resume = i;
            } else if (at < pattern.length() && pattern.charAt(at) == name.charAt(i)) {
                at++;
                i++;
            } else if (star >= 0) {
                at = star + 1;
                i = ++resume;
            } else {
                return false;
            }
        }
        while (at < pattern.length() && pattern.charAt(at) == '*') {
            at++;
        }
        return at == pattern.length();
    }
}
