package dev.sluice.service.api;

import dev.sluice.http.ErrorResponse;

/** Checks the form of media types in headers (RFC 9110, section 8.3.1), as leniently as JAX-RS does. */
final class MediaTypes {

    private MediaTypes() {
    }

    /** Returns whether a Content-Type is {@code type/subtype}, with parameters of any form; true if it is missing. */
    static boolean isWellFormed(String contentType) {
        return contentType == null || contentType.equals(ErrorResponse.JSON) || contentType.isBlank()
                || isWellFormed(contentType, 0, contentType.length())
                        && contentType.lastIndexOf(',', parametersStart(contentType)) < 0;
    }

    /** Returns whether each element of an Accept header is a media type or {@code *}; true if it is missing. */
    static boolean areWellFormed(String accept) {
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
            if (!isWellFormed(accept, from, to)) {
                return false;
            }
            from = to + 1;
        }
        return true;
    }

    /** Returns the index at which the parameters begin. */
    private static int parametersStart(String type) {
        int semicolon = type.indexOf(';');
        return semicolon < 0 ? type.length() : semicolon;
    }

    private static boolean isWellFormed(String text, int from, int to) {
        int semicolon = text.indexOf(';', from);
        var type = text.substring(from, semicolon < 0 || semicolon > to ? to : semicolon).strip();
        int slash = type.indexOf('/');
        return type.equals("*") || slash > 0 && slash < type.length() - 1 && slash == type.lastIndexOf('/');
    }
}
