package dev.sluice.api;

import org.jspecify.annotations.Nullable;

/**
 * Validates identifiers and resource names: 1 to {@value #MAX_LENGTH} characters (Unicode code points) without an
 * unpaired surrogate, which UTF-8 cannot encode. They are used verbatim: case and whitespace are significant.
 */
public final class Identifiers {

    /** Maximum length, in Unicode code points, as {@code maxLength} of JSON Schema counts them. */
    public static final int MAX_LENGTH = 256;

    private Identifiers() {
    }

    /**
     * Returns whether a value is a valid identifier or resource name.
     *
     * @param value the value to validate; null is invalid
     */
    public static boolean isValid(@Nullable String value) {
        if (value == null || value.isEmpty() || isLonger(value, MAX_LENGTH)) {
            return false;
        }
        for (int i = 0; i < value.length(); i++) {
            char c = value.charAt(i);
            if (Character.isLowSurrogate(c)) {
                return false;
            }
            if (Character.isHighSurrogate(c) && (++i == value.length() || !Character.isLowSurrogate(value.charAt(i)))) {
                return false;
            }
        }
        return true;
    }

    /**
     * Returns whether a text has more than a number of characters. The time is bounded by that number, whatever the length of the text.
     *
     * @param text the text
     * @param characters number of Unicode code points
     */
    public static boolean isLonger(String text, int characters) {
        return text.length() > characters
                && (text.length() > 2L * characters || text.codePointCount(0, text.length()) > characters);
    }

    /**
     * Returns the value if it is valid.
     *
     * @param field name of the field, for the error message; the message does not repeat the value
     * @param value the value to validate
     * @return {@code value}
     * @throws IllegalArgumentException if the value is invalid
     */
    public static String requireValid(String field, @Nullable String value) {
        if (!isValid(value)) {
            throw new IllegalArgumentException(field + " must have 1 to " + MAX_LENGTH
                    + " characters and no unpaired surrogate");
        }
        return value;
    }
}
