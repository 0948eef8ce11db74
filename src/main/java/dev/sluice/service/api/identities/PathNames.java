package dev.sluice.service.api.identities;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.regex.Pattern;

import dev.sluice.directory.IdentityKind;
import dev.sluice.directory.IdentityNames;
import dev.sluice.service.api.BadRequestException;
import io.vertx.ext.web.RoutingContext;

/**
 * Reads the names in paths. They are read from the path itself because JAX-RS replaces bytes that are not UTF-8, and removes what
 * follows a semicolon.
 */
public final class PathNames {

    /** Ids of keys, as {@link dev.sluice.directory.IdentityStore#newKeyId} creates them. */
    private static final Pattern GENERATED_KEY_ID = Pattern.compile("[0-9a-z]{19}");
    /** Ids that a path may have. */
    private static final Pattern KEY_ID = Pattern.compile("[A-Za-z0-9_-]{1,64}");
    /** {@code /v1/<kind>/<name>}. */
    private static final int NAME_SEGMENT = 3;

    private PathNames() {
    }

    /**
     * Returns the name in the path of a request.
     *
     * @throws BadRequestException if it is not a valid name; an id of a key that cannot exist is not found
     */
    static String read(RoutingContext request, IdentityKind kind) {
        var name = raw(request);
        if (kind == IdentityKind.KEY) {
            if (!isKeyId(name)) {
                throw IdentityErrors.notFound(kind);
            }
        } else if (!IdentityNames.isValid(name)) {
            throw BadRequestException.forField("path", "The name in the path " + IdentityNames.ALLOWED);
        }
        return name;
    }

    /** Returns the name in the path of a request, decoded only. */
    static String raw(RoutingContext request) {
        var segments = request.normalizedPath().split("/");
        return segments.length > NAME_SEGMENT ? decode(segments[NAME_SEGMENT]) : "";
    }

    /** Returns whether a text can be the id of a key. */
    public static boolean isKeyId(String text) {
        return KEY_ID.matcher(text).matches();
    }

    /** Returns whether a text has the form of the ids that are generated, whose identifiers are reserved for the keys. */
    public static boolean isGeneratedKeyId(String text) {
        return GENERATED_KEY_ID.matcher(text).matches();
    }

    /** Decodes percent-encoded UTF-8; a plus sign is literal. */
    static String decode(String segment) {
        var bytes = new ByteArrayOutputStream(segment.length());
        try {
            for (int i = 0; i < segment.length(); i++) {
                char c = segment.charAt(i);
                if (c == '%') {
                    bytes.write(Integer.parseInt(segment, i + 1, i + 3, 16));
                    i += 2;
                } else if (c <= 0xFF) { // Netty delivers one character per byte
                    bytes.write(c);
                } else {
                    bytes.writeBytes(Character.toString(c).getBytes(StandardCharsets.UTF_8));
                }
            }
            return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes.toByteArray())).toString();
        } catch (CharacterCodingException | IndexOutOfBoundsException | NumberFormatException e) {
            throw BadRequestException.forField("path", "The name in the path is not percent-encoded UTF-8");
        }
    }
}
