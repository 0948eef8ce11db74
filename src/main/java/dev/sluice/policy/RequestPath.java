package dev.sluice.policy;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;

/**
 * The segments that a path of a request may stand for.
 * <p>
 * Servers disagree about encoded slashes, backslashes, matrix parameters and dots, and a caller may use what they disagree
 * about to be counted elsewhere. A path that has any of these has several readings, and is governed by the rows of all.
 */
public final class RequestPath {

    private static final char[] HEX = "0123456789ABCDEF".toCharArray();

    private RequestPath() {
    }

    /** Percent-encodes what is no ASCII: each character stands for the byte that was sent. */
    public static String ascii(String target) {
        int plain = 0;
        while (plain < target.length() && target.charAt(plain) < 0x80) {
            plain++;
        }
        if (plain == target.length()) {
            return target;
        }
        var encoded = new StringBuilder(target.length() + 16).append(target, 0, plain);
        for (int i = plain; i < target.length(); i++) {
            char c = target.charAt(i);
            if (c < 0x80) {
                encoded.append(c);
            } else {
                encoded.append('%').append(HEX[c >> 4 & 15]).append(HEX[c & 15]);
            }
        }
        return encoded.toString();
    }

    /** A path as it is configured. */
    static List<String> configured(String path) {
        return resolve(split(path, false, false));
    }

    /** @return one reading, or where servers may disagree several */
    static Collection<List<String>> readings(String path) {
        if (plain(path)) {
            return List.of(resolve(split(path, false, false)));
        }
        var encoded = ascii(path);
        var readings = new LinkedHashSet<List<String>>();
        for (boolean slashes : new boolean[]{false, true}) {
            for (boolean parameters : new boolean[]{false, true}) {
                var segments = split(encoded, slashes, parameters);
                readings.add(resolve(segments));
                readings.add(segments.stream().filter(segment -> !segment.isEmpty()).toList());
            }
        }
        return readings;
    }

    private static boolean plain(String path) {
        for (int i = 0; i < path.length(); i++) {
            char c = path.charAt(i);
            boolean dots = c == '.' && (i == 0 || path.charAt(i - 1) == '/');
            if (c == '%' || c == ';' || c == '\\' || dots || c >= 0x80) {
                return false;
            }
        }
        return true;
    }

    /**
     * @param slashes encoded slashes and backslashes part segments
     * @param parameters a semicolon ends a segment
     */
    private static List<String> split(String path, boolean slashes, boolean parameters) {
        var segments = new ArrayList<String>();
        for (var raw : path.split("/")) {
            var segment = decode(raw);
            for (var part : slashes ? segment.split("[/\\\\]") : new String[]{segment}) {
                int end = parameters ? part.indexOf(';') : -1;
                segments.add(end < 0 ? part : part.substring(0, end));
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
