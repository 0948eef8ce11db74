package dev.sluice.service.api.spend;

import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.TreeMap;

import dev.sluice.identity.Sha256;
import dev.sluice.llm.spend.SpendPosition;
import dev.sluice.llm.spend.SpendQuery;
import dev.sluice.service.api.BadRequestException;
import io.vertx.core.json.JsonArray;

/**
 * Encodes the position of a page as a cursor, together with a digest of the query and the position: a cursor of another query, or a
 * changed one, is rejected. It opens nothing that its sender could not read anyway, so it needs no secret.
 */
final class SpendCursor {

    private static final int DIGEST_LENGTH = 32;
    private static final int MAX_LENGTH = 8192;

    private SpendCursor() {
    }

    static String encode(SpendPosition position, SpendQuery query) {
        var content = new JsonArray().add(position.picodollars().toString());
        position.values().forEach(content::add);
        var text = digest(content.encode(), query) + content.encode();
        return Base64.getUrlEncoder().withoutPadding().encodeToString(text.getBytes(StandardCharsets.UTF_8));
    }

    /**
     * Decodes a cursor.
     *
     * @throws BadRequestException if it was not returned by the same query
     */
    static SpendPosition decode(String cursor, SpendQuery query) {
        try {
            var text = cursor.length() > MAX_LENGTH
                    ? ""
                    : new String(Base64.getUrlDecoder().decode(cursor), StandardCharsets.UTF_8);
            if (text.length() > DIGEST_LENGTH) {
                var content = text.substring(DIGEST_LENGTH);
                if (text.startsWith(digest(content, query))) {
                    var parts = new JsonArray(content);
                    var values = new ArrayList<String>();
                    for (int i = 1; i < parts.size(); i++) {
                        values.add(parts.getString(i));
                    }
                    return new SpendPosition(new BigInteger(parts.getString(0)), values);
                }
            }
        } catch (RuntimeException e) {
            // not base64, or not a position: reported below
        }
        throw BadRequestException.forField("cursor",
                "cursor must be the next_cursor of the previous page, with the same parameters");
    }

    private static String digest(String content, SpendQuery query) {
        // The end of the range is left out: it is that of the current day, unless it is given.
        var scope = List.of(query.groupBy(), new TreeMap<>(query.filters()), query.range().fromHour());
        return Sha256.hex(scope + content).substring(0, DIGEST_LENGTH);
    }
}
