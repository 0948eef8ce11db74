package dev.sluice.llm.protocol;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;

/**
 * Body of type {@code multipart/form-data}, read in place: nothing but the names is copied.
 * <p>
 * Netty's HttpPostRequestDecoder, and other parsers, accept several forms that not all servers read in the same way: ends of lines
 * without a carriage return, data before the first and after the last part, a boundary within a file. A provider could so find
 * another model in a body than Sluice does. Here each occurrence of the boundary must be a delimiter in its only canonical form, and
 * the headers of a part must be the known ones; anything else is refused.
 *
 * @see <a href="https://www.rfc-editor.org/rfc/rfc7578">RFC 7578: multipart/form-data</a>
 */
final class MultipartForm {

    private static final String CHARSET = " *; *charset=\"?(?:utf-8|iso-8859-1|us-ascii)\"?";
    private static final String BOUNDARY = "[A-Za-z0-9'+_.-]{1,70}";
    private static final Pattern CONTENT_TYPE = Pattern.compile("multipart/form-data(?:" + CHARSET + ")? *; *boundary=(?:\"("
            + BOUNDARY + ")\"|(" + BOUNDARY + "))(?:" + CHARSET + ")?", Pattern.CASE_INSENSITIVE);
    private static final String NAME = "[A-Za-z0-9_.\\[\\]-]{1,128}";
    private static final Pattern DISPOSITION = Pattern.compile("form-data *; *name=(?:\"(" + NAME + ")\"|(" + NAME + "))"
            + "( *; *filename=(?:\"[^\"\\\\]*\"|[A-Za-z0-9!#$%&'+.^_`|~-]+))?( *; *filename\\*=[A-Za-z0-9!#$%&'+.^_`|~-]*)?",
            Pattern.CASE_INSENSITIVE);
    /** Begins the part of a name that some servers read as that of an element: {@code model[]}. */
    private static final Pattern ELEMENT = Pattern.compile("[.\\[\\]]");
    private static final Pattern TEXT_TYPE = Pattern.compile("[a-z0-9./+-]{1,100}(?:" + CHARSET + ")?",
            Pattern.CASE_INSENSITIVE);
    private static final Set<String> HEADERS = Set.of("content-disposition", "content-type", "content-length",
            "content-transfer-encoding");
    private static final Set<String> IDENTITY_ENCODINGS = Set.of("7bit", "8bit", "binary");
    private static final int MAX_PARTS = 256;
    private static final int MAX_HEADER_BYTES = 4096;
    private static final int WINDOW_BYTES = 1 << 16;
    private static final int MAX_TEXT_BYTES = 1 << 12;
    private static final String LINE_END_TEXT = "\r\n";

    /**
     * Part of a form.
     *
     * @param file whether the part has the name of a file
     * @param content bytes of the body
     */
    record Part(String name, boolean file, ByteBuf content) {
    }

    private final ByteBuf body;
    private final ByteBuf delimiter;
    // Fields: buffers of a native image must not be created when it is built.
    private final ByteBuf lineEnd = ascii(LINE_END_TEXT);
    private final ByteBuf headersEndText = ascii(LINE_END_TEXT + LINE_END_TEXT);
    private final byte[] window;
    private final List<Part> parts = new ArrayList<>();

    private MultipartForm(ByteBuf body, String boundary) {
        this.body = body;
        this.delimiter = ascii("--" + boundary);
        this.window = new byte[Math.min(WINDOW_BYTES, Math.max(body.readableBytes(), 2 * delimiter.readableBytes()))];
    }

    static boolean isMultipart(String contentType) {
        return contentType != null && contentType.strip().toLowerCase(Locale.ROOT).startsWith("multipart/");
    }

    /**
     * Reads a form.
     *
     * @throws InvalidRequestBodyException if the body is not a form that all servers read in the same way
     */
    static MultipartForm parse(String contentType, ByteBuf body) {
        var type = CONTENT_TYPE.matcher(contentType.strip());
        if (!type.matches()) {
            throw invalid("Content-Type must be multipart/form-data with one boundary");
        }
        var form = new MultipartForm(body.slice(), type.group(1) == null ? type.group(2) : type.group(1));
        form.readParts();
        return form;
    }

    private void readParts() {
        int end = body.readableBytes();
        if (!startsWith(delimiter, 0)) {
            throw invalid("the body must begin with the boundary");
        }
        int at = delimiter.readableBytes();
        while (startsWith(lineEnd, at)) {
            int headersEnd = indexOf(headersEndText, at, Math.min(end, at + MAX_HEADER_BYTES));
            int next = headersEnd < 0 ? -1 : indexOf(delimiter, headersEnd, end);
            int content = headersEnd + headersEndText.readableBytes();
            int contentEnd = next - lineEnd.readableBytes();
            if (next < 0 || contentEnd < content || !startsWith(lineEnd, contentEnd)) {
                throw invalid("a part has no end, or its headers are too long");
            }
            if (parts.size() == MAX_PARTS) {
                throw invalid("a form has at most " + MAX_PARTS + " parts");
            }
            var headers = headersEnd == at ? "" : body.toString(at + 2, headersEnd - at - 2, StandardCharsets.ISO_8859_1);
            parts.add(part(headers, body.slice(content, contentEnd - content)));
            at = next + delimiter.readableBytes();
        }
        if (end - at < 2 || body.getByte(at) != '-' || body.getByte(at + 1) != '-'
                || end != at + 2 && !(startsWith(lineEnd, at + 2) && end == at + 4)) {
            throw invalid("a boundary must be followed by the end of its line, and the last one by the end of the body");
        }
    }

    private static Part part(String headers, ByteBuf content) {
        Matcher disposition = null;
        boolean plain = true;
        var names = new HashSet<String>();
        for (var line : headers.split("\r\n")) {
            int colon = line.indexOf(':');
            var name = colon < 0 ? "" : line.substring(0, colon).toLowerCase(Locale.ROOT);
            if (!HEADERS.contains(name) || !names.add(name) || line.indexOf('\n') >= 0 || line.indexOf('\r') >= 0) {
                throw invalid("a part has an unknown or repeated header");
            }
            var value = line.substring(colon + 1).strip();
            if (name.equals("content-disposition")) {
                disposition = DISPOSITION.matcher(value);
            } else if (name.equals("content-type")) {
                plain = TEXT_TYPE.matcher(value).matches();
            } else if (name.equals("content-transfer-encoding")
                    && !IDENTITY_ENCODINGS.contains(value.toLowerCase(Locale.ROOT))) {
                throw invalid("a part must not be encoded");
            }
        }
        if (disposition == null || !disposition.matches()) {
            throw invalid("a part must have a Content-Disposition of the form form-data; name=\"…\"; filename=\"…\"");
        }
        boolean file = disposition.group(3) != null || disposition.group(4) != null;
        if (!file && !plain) {
            throw invalid("the type of a field must be plain, in UTF-8");
        }
        return new Part(disposition.group(1) == null ? disposition.group(2) : disposition.group(1), file, content);
    }

    /**
     * Returns the text of a field.
     *
     * @return null if it is missing
     * @throws InvalidRequestBodyException if it occurs twice, is a file, too long or not ASCII, which is the same in all charsets
     */
    String text(String name) {
        Part found = null;
        for (var part : parts) {
            if (ELEMENT.split(part.name(), 2)[0].equalsIgnoreCase(name)) {
                if (found != null || part.file() || !part.name().equals(name)) {
                    throw invalid(name + " must occur once, and not be a file");
                }
                found = part;
            }
        }
        if (found == null) {
            return null;
        }
        var text = found.content().toString(0, Math.min(MAX_TEXT_BYTES + 1, found.content().readableBytes()),
                StandardCharsets.ISO_8859_1);
        if (text.length() > MAX_TEXT_BYTES || text.chars().anyMatch(c -> c < ' ' || c > '~')) {
            throw invalid(name + " is too long or not ASCII");
        }
        return text;
    }

    /** Returns the files of the form. */
    List<Part> files() {
        return parts.stream().filter(Part::file).toList();
    }

    /** Returns the size of all fields that are not files, in bytes. */
    long textBytes() {
        return parts.stream().filter(part -> !part.file()).mapToLong(part -> part.content().readableBytes()).sum();
    }

    private boolean startsWith(ByteBuf text, int at) {
        return at + text.readableBytes() <= body.readableBytes() && ByteBufUtil.equals(body, at, text, 0, text.readableBytes());
    }

    /**
     * Returns the index of the first occurrence that begins at or after an index and ends before another; negative if none. Parts of
     * the body are copied to one array to be searched: the body has many, in which single bytes are slow to read.
     */
    private int indexOf(ByteBuf text, int from, int to) {
        int overlap = text.readableBytes() - 1;
        for (int at = from; to - at > overlap; at += window.length - overlap) {
            int length = Math.min(window.length, to - at);
            body.getBytes(at, window, 0, length);
            int index = ByteBufUtil.indexOf(text, Unpooled.wrappedBuffer(window, 0, length));
            if (index >= 0) {
                return at + index;
            }
        }
        return -1;
    }

    private static ByteBuf ascii(String text) {
        return Unpooled.unreleasableBuffer(Unpooled.wrappedBuffer(text.getBytes(StandardCharsets.US_ASCII)));
    }

    private static InvalidRequestBodyException invalid(String problem) {
        return new InvalidRequestBodyException("body is not a valid form: " + problem);
    }
}
