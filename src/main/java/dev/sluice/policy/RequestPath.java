package dev.sluice.policy;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * The segments that a path of a request may stand for.
 * <p>
 * Servers disagree about encoded slashes, backslashes and matrix parameters, and a caller may use what they disagree about to
 * be counted elsewhere. Such a path has two readings, a literal one and a liberal one, and is governed by the rows of both.
 */
final class RequestPath {

    private RequestPath() {
    }

    /** @return one reading, or where servers may disagree two */
    static List<List<String>> readings(String path) {
        var literal = resolve(split(path, false));
        if (path.indexOf('%') < 0 && path.indexOf(';') < 0 && path.indexOf('\\') < 0) {
            return List.of(literal);
        }
        var liberal = resolve(split(path, true));
        return literal.equals(liberal) ? List.of(literal) : List.of(literal, liberal);
    }

    private static List<String> split(String path, boolean liberal) {
        var segments = new ArrayList<String>();
        for (var raw : path.split("/")) {
            int parameters = liberal ? raw.indexOf(';') : -1;
            var segment = decode(parameters < 0 ? raw : raw.substring(0, parameters));
            if (liberal) {
                segments.addAll(Arrays.asList(segment.split("[/\\\\]")));
            } else {
                segments.add(segment);
            }
        }
        return segments;
    }

    private static List<String> resolve(List<String> segments) {
        var resolved = new ArrayList<String>(segments.size());
        for (var segment : segments) {
            switch (segment) {
                case "", "." -> {
                }
                case ".." -> {
                    if (!resolved.isEmpty()) {
                        resolved.remove(resolved.size() - 1);
                    }
                }
                default -> resolved.add(segment);
            }
        }
        return resolved;
    }

    private static String decode(String segment) {
        if (segment.indexOf('%') < 0) {
            return segment;
        }
        var in = segment.getBytes(StandardCharsets.UTF_8);
        var out = new byte[in.length];
        int length = 0;
        for (int i = 0; i < in.length; i++) {
            int high = i + 2 < in.length && in[i] == '%' ? Character.digit(in[i + 1], 16) : -1;
            int low = high < 0 ? -1 : Character.digit(in[i + 2], 16);
            if (low < 0) {
                out[length++] = in[i];
            } else {
                out[length++] = (byte) (high << 4 | low);
                i += 2;
            }
        }
        return new String(out, 0, length, StandardCharsets.UTF_8);
    }
}
