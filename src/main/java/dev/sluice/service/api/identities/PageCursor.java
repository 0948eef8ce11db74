package dev.sluice.service.api.identities;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Base64;
import java.util.HexFormat;

import dev.sluice.identity.Sha256;
import dev.sluice.service.api.BadRequestException;

/**
 * Cursor of a list, as clients see it: the name after which the next page begins, and a check value of it and of the query. It is
 * opaque and not secret; a cursor that was changed, or belongs to another query, is refused.
 */
final class PageCursor {

    private static final int CHECK_BYTES = 12;
    private static final int MAX_LENGTH = 1024;

    private PageCursor() {
    }

    /**
     * Encodes a cursor.
     *
     * @param query text form of the query
     * @param after name of the last entry of the page; null if there is no further page
     * @return null if there is no further page
     */
    static String encode(String query, String after) {
        if (after == null) {
            return null;
        }
        var name = after.getBytes(StandardCharsets.UTF_8);
        var bytes = ByteBuffer.allocate(CHECK_BYTES + name.length).put(check(query, after)).put(name).array();
        return Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
    }

    /**
     * Decodes a cursor.
     *
     * @param cursor null for the first page
     * @return null for the first page
     * @throws BadRequestException if it is not one of this query
     */
    static String decode(String query, String cursor) {
        if (cursor == null) {
            return null;
        }
        try {
            var bytes = Base64.getUrlDecoder().decode(cursor);
            if (cursor.length() <= MAX_LENGTH && bytes.length > CHECK_BYTES) {
                var after = StandardCharsets.UTF_8.newDecoder()
                        .decode(ByteBuffer.wrap(bytes, CHECK_BYTES, bytes.length - CHECK_BYTES)).toString();
                if (cursor.equals(encode(query, after))) {
                    return after;
                }
            }
        } catch (IllegalArgumentException | CharacterCodingException e) {
            // reported below
        }
        throw BadRequestException.forField("cursor", "cursor must be the next_cursor of an answer to the same query");
    }

    private static byte[] check(String query, String after) {
        var hash = Sha256.hex("cursor\n" + query.length() + '\n' + query + '\n' + after);
        return Arrays.copyOf(HexFormat.of().parseHex(hash), CHECK_BYTES);
    }
}
