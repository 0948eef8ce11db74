package dev.sluice.service.token;

import java.util.function.Predicate;

import dev.sluice.text.HeaderText;

/**
 * Normalizes API keys, so that one key has one hash however it is written: {@code Bearer sk-mine,} is {@code sk-mine}. Such
 * spellings come from configuration files, shells and programs that add the scheme twice; callers could otherwise invent any
 * number of them for one key.
 */
public final class KeySyntax {

    /** Maximum length of a key. Access tokens of OAuth, which providers accept too, have up to 2,048 characters. */
    public static final int MAX_LENGTH = 4096;

    /** Message of the error for a key that is not {@linkplain #isValid valid}. */
    public static final String RULE = "An API key must consist of at most " + MAX_LENGTH + " visible ASCII characters";

    private static final String BEARER = "Bearer";
    /** Characters of a key beside letters and digits; others are between a key and other text. */
    private static final String KEY_CHARACTERS = "._~+/-";
    private static final int MAX_PARTS = 256;

    private KeySyntax() {
    }

    /**
     * Returns a key without white space, quotes, commas and semicolons around it, and without the scheme Bearer before it, in any
     * case and any number.
     *
     * @return empty if there is nothing else
     */
    public static String normalize(String text) {
        int end = end(text);
        return text.substring(begin(text, end), end);
    }

    /** Returns the normalized key of a header, {@linkplain HeaderText#decode decoded}. */
    public static String ofHeader(String value) {
        return normalize(HeaderText.decode(value));
    }

    /**
     * Returns the normalized key of an Authorization header.
     *
     * @return null if the header has another scheme than Bearer
     */
    public static String ofAuthorization(String header) {
        var value = HeaderText.decode(header);
        int end = end(value);
        int begin = begin(value, end);
        return begin == skipPadding(value, 0, end) ? null : value.substring(begin, end);
    }

    /** Returns whether a normalized key may be one of a provider. A Sluice key may have any characters. */
    public static boolean isValid(String key) {
        if (key.isEmpty() || key.length() > MAX_LENGTH) {
            return false;
        }
        for (int i = 0; i < key.length(); i++) {
            char c = key.charAt(i);
            if (c <= ' ' || c > '~') {
                return false;
            }
        }
        return true;
    }

    /**
     * Returns whether a text contains a key between other characters than those of keys.
     *
     * @param isKey returns whether a text is a key
     * @return also true for a text of more than {@value #MAX_PARTS} parts, of which no more are looked up
     */
    public static boolean containsKey(String text, Predicate<String> isKey) {
        int from = 0;
        for (int parts = 1; from < text.length(); parts++) {
            int end = from;
            while (end < text.length() && isKeyCharacter(text.charAt(end))) {
                end++;
            }
            if (parts > MAX_PARTS || end > from && isKey.test(text.substring(from, end))) {
                return true;
            }
            from = end;
            while (from < text.length() && !isKeyCharacter(text.charAt(from))) {
                from++;
            }
        }
        return false;
    }

    /** Returns whether a text has other characters than those of keys. */
    static boolean hasSeparator(String text) {
        for (int i = 0; i < text.length(); i++) {
            if (!isKeyCharacter(text.charAt(i))) {
                return true;
            }
        }
        return false;
    }

    private static boolean isKeyCharacter(char c) {
        return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || KEY_CHARACTERS.indexOf(c) >= 0;
    }

    private static int end(String text) {
        int end = text.length();
        while (end > 0 && isPadding(text.charAt(end - 1))) {
            end--;
        }
        return end;
    }

    private static int begin(String text, int end) {
        int begin = skipPadding(text, 0, end);
        while (isBearer(text, begin, end)) {
            begin = skipPadding(text, begin + BEARER.length(), end);
        }
        return begin;
    }

    private static int skipPadding(String text, int from, int end) {
        int i = from;
        while (i < end && isPadding(text.charAt(i))) {
            i++;
        }
        return i;
    }

    private static boolean isBearer(String text, int from, int end) {
        int after = from + BEARER.length();
        return after <= end && text.regionMatches(true, from, BEARER, 0, BEARER.length())
                && (after == end || isPadding(text.charAt(after)));
    }

    private static boolean isPadding(char c) {
        return c <= ' ' || c == '"' || c == '\'' || c == '`' || c == ',' || c == ';' || c == 0x7F || c == 0x85 || c == 0xA0
                || Character.isWhitespace(c);
    }
}
