package dev.sluice.service.api;

import dev.sluice.http.ErrorResponse;

/** Checks the form of media types in headers (RFC 9110, section 8.3.1), as leniently as JAX-RS does. */
final class MediaTypes {

    private MediaTypes() {
    }

    /** Whether a Content-Type is {@code type/subtype}, with parameters of any form; a missing one is. */
    static boolean isReadable(String contentType) {
        return contentType == null || contentType.equals(ErrorResponse.JSON) || contentType.isBlank()
                || isReadable(contentType, 0, contentType.length()) && contentType.lastIndexOf(',', end(contentType)) < 0;
    }

    /** Whether each element of an Accept header is a media type or {@code *}; a missing one is. */
    static boolean areReadable(String accept) {
        if (accept == null || accept.equals("*/*") || accept.equals(ErrorResponse.JSON) || accept.isBlank()) {
            return true;
        }
        int length = accept.length();
        while (length > 0 && accept.charAt(length - 1) == ',') {
            length--;
        }
        int from = 0;
        while (from <= length) {
            int comma = accept.indexOf(',', from);
            int to = comma < 0 || comma > length ? length : comma;
            if (!isReadable(accept, from, to)) {
                return false;
            }
            from = to + 1;
        }
        return true;
    }

    /** Where the parameters begin. */
    private static int end(String type) {
        int semicolon = type.indexOf(';');
        return semicolon < 0 ? type.length() : semicolon;
    }

    private static boolean isReadable(String text, int from, int to) {
        int semicolon = text.indexOf(';', from);
        var type = text.substring(from, semicolon < 0 || semicolon > to ? to : semicolon).strip();
        int slash = type.indexOf('/');
        return type.equals("*") || slash > 0 && slash < type.length() - 1 && slash == type.lastIndexOf('/');
    }
}
