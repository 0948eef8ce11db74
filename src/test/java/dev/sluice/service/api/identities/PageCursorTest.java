package dev.sluice.service.api.identities;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Base64;
import java.util.Random;

import org.junit.jupiter.api.Test;

import dev.sluice.service.api.BadRequestException;

/** Cursors of lists. */
class PageCursorTest {

    @Test
    void cursorIsDecoded() {
        for (var after : new String[]{"a", "é🦊", "x".repeat(128), " "}) {
            assertThat(PageCursor.decode("query", PageCursor.encode("query", after))).isEqualTo(after);
        }
        assertThat(PageCursor.encode("query", null)).isNull();
        assertThat(PageCursor.decode("query", null)).isNull();
    }

    @Test
    void otherCursorsAreRefused() {
        var cursor = PageCursor.encode("query", "alice");
        assertThatThrownBy(() -> PageCursor.decode("other", cursor)).isInstanceOf(BadRequestException.class);
        var random = new Random(1);
        var bytes = Base64.getUrlDecoder().decode(cursor);
        for (int i = 0; i < 1000; i++) {
            var forged = bytes.clone();
            forged[random.nextInt(forged.length)] ^= (byte) (1 << random.nextInt(8));
            var text = Base64.getUrlEncoder().withoutPadding().encodeToString(forged);
            assertThatThrownBy(() -> PageCursor.decode("query", text)).isInstanceOf(BadRequestException.class);
        }
        for (var text : new String[]{"", "a", "====", "é", cursor + '=', cursor + "AAAA", " " + cursor}) {
            assertThatThrownBy(() -> PageCursor.decode("query", text)).as(text).isInstanceOf(BadRequestException.class);
        }
    }
}
