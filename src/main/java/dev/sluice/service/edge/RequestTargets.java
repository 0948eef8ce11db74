package dev.sluice.service.edge;

import dev.sluice.http.ErrorResponse;

/**
 * Checks of request targets. Accepts what browsers send although RFC 3986 does not allow it, for example braces, quotes and
 * UTF-8; and any percent sign in a query, which is for the upstream to decode.
 */
public final class RequestTargets {

    private static final ErrorResponse FRAGMENT = ErrorResponse.badRequest("path",
            "The request target must not contain a fragment");
    private static final ErrorResponse CONTROL = ErrorResponse.badRequest("path",
            "The request target must not contain spaces or control characters");
    private static final ErrorResponse PERCENT = ErrorResponse.badRequest("path",
            "A percent sign in the path must be followed by two hexadecimal digits");

    private RequestTargets() {
    }

    /** Returns the error of a target, or null if it is acceptable. */
    public static ErrorResponse error(String target) {
        boolean path = true;
        for (int i = 0; i < target.length(); i++) {
            char c = target.charAt(i);
            if (isControl(c)) {
                return CONTROL;
            } else if (c == '#') {
                // Servers disagree whether the path ends there, and clients must not send it (RFC 9112, section 3.2).
                return FRAGMENT;
            } else if (c == '?') {
                path = false;
            } else if (c == '%' && path && !(isHexadecimal(target, i + 1) && isHexadecimal(target, i + 2))) {
                return PERCENT;
            }
        }
        return null;
    }

    /** Returns whether a character is a space or a control character, which no target may contain. */
    static boolean isControl(char c) {
        return c <= ' ' || c == 0x7f;
    }

    private static boolean isHexadecimal(String text, int index) {
        return index < text.length() && text.charAt(index) < 0x80 && Character.digit(text.charAt(index), 16) >= 0;
    }
}
