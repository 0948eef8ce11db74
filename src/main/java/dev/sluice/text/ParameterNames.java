package dev.sluice.text;

import java.util.regex.Pattern;

/**
 * Names of query parameters and cookies as applications may read them. Some servers ignore the case of names. PHP drops spaces in front
 * of a name, cuts it at a null character, and turns spaces, dots and an opening bracket into underscores. Rack (Ruby) drops brackets
 * around a name, and several frameworks read {@code name[]} and {@code name[0]} as an array, which JavaScript converts to a number.
 */
public final class ParameterNames {

    private static final Pattern INDICES = Pattern.compile("(?:\\[[0-9]*])+$");

    private ParameterNames() {
    }

    /** Returns whether a common server may read the name of a parameter as another one. Both are percent-decoded. */
    public static boolean isReadAs(String given, String name) {
        if (given.equalsIgnoreCase(name)) {
            return true;
        }
        if (isPlain(given) && isPlain(name)) {
            return false;
        }
        var meant = withUnderscores(name);
        return withUnderscores(given).equalsIgnoreCase(meant) || withUnderscores(withoutIndices(given)).equalsIgnoreCase(meant);
    }

    private static boolean isPlain(String name) {
        for (int i = 0; i < name.length(); i++) {
            char c = name.charAt(i);
            if (c <= ' ' || c == '.' || c == '[' || c == ']') {
                return false;
            }
        }
        return true;
    }

    private static String withUnderscores(String name) {
        int end = name.indexOf('\0');
        return (end < 0 ? name : name.substring(0, end)).strip().replace(' ', '_').replace('.', '_').replace('[', '_');
    }

    private static String withoutIndices(String name) {
        int start = 0;
        while (start < name.length() && (name.charAt(start) == '[' || name.charAt(start) == ']')) {
            start++;
        }
        var rest = INDICES.matcher(name.substring(start)).replaceFirst("");
        int end = rest.length();
        while (end > 0 && rest.charAt(end - 1) == ']' && rest.indexOf('[') < 0) {
            end--;
        }
        return rest.substring(0, end);
    }
}
