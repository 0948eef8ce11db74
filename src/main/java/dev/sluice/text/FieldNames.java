package dev.sluice.text;

import java.util.Locale;

/** Names of header fields as applications may see them. */
public final class FieldNames {

    private FieldNames() {
    }

    /**
     * Returns a name in lower case, with a dash for each character that is neither a letter nor a digit: CGI and WSGI do not
     * distinguish underscores from dashes, PHP no dots, and some servers no such character at all.
     */
    public static String asSeenByCgi(String name) {
        return isPlain(name) ? name.toLowerCase(Locale.ROOT) : dashed(name);
    }

    /** Returns whether a name consists of letters, digits and dashes. */
    public static boolean isPlain(String name) {
        for (int i = 0; i < name.length(); i++) {
            if (!isPlain(name.charAt(i))) {
                return false;
            }
        }
        return true;
    }

    private static boolean isPlain(char c) {
        return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-';
    }

    private static String dashed(String name) {
        var dashed = new StringBuilder(name.length());
        for (char c : name.toLowerCase(Locale.ROOT).toCharArray()) {
            dashed.append(isPlain(c) ? c : '-');
        }
        return dashed.toString();
    }
}
