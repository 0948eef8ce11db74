package dev.sluice.llm.protocol;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;

class MultipartFormTest {

    private static final String TYPE = "multipart/form-data; boundary=b";
    private static final String MODEL = "--b\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\nm\r\n";
    private static final String FILE = "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.wav\"\r\n"
            + "Content-Type: audio/wav\r\n\r\n";
    private static final String END = "\r\n--b--\r\n";

    private static ByteBuf bytes(String text) {
        return Unpooled.wrappedBuffer(text.getBytes(StandardCharsets.ISO_8859_1));
    }

    private static MultipartForm parse(String body) {
        return MultipartForm.parse(TYPE, bytes(body));
    }

    @Test
    void readsFieldsAndFiles() {
        var form = parse(MODEL + FILE + "a\r\n-\r\n--\r\n--c" + END);
        assertThat(form.text("model")).isEqualTo("m");
        assertThat(form.text("other")).isNull();
        assertThat(form.textBytes()).isEqualTo(1);
        assertThat(form.files()).hasSize(1);
        assertThat(form.files().get(0).content().toString(StandardCharsets.ISO_8859_1)).isEqualTo("a\r\n-\r\n--\r\n--c");
        assertThat(parse("--b--").files()).isEmpty();
        assertThat(parse(FILE + END).files().get(0).content().readableBytes()).isZero();
    }

    /** As the official SDKs and curl send them. */
    @ParameterizedTest
    @ValueSource(strings = {"multipart/form-data; boundary=\"b\"", "multipart/form-data;boundary=b",
            "Multipart/Form-Data; Boundary=b; charset=UTF-8", "multipart/form-data; charset=ISO-8859-1; boundary=b"})
    void readsFormsOfUsualClients(String type) {
        var body = "--b\r\ncontent-disposition: form-data; name=model\r\nContent-Transfer-Encoding: binary\r\n"
                + "Content-Length: 1\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nm"
                + "\r\n--b\r\nContent-Disposition: form-data; name=\"include[]\"; filename=\"\"; filename*=utf-8''%C3%A9\r\n\r\n"
                + "\r\n--b\r\nContent-Type: audio/wav; x=\"y\"\r\nContent-Disposition: form-data; name=file; filename=a.wav; filename*=utf-8''a.wav\r\n\r\n\r\n--b--";
        assertThat(MultipartForm.parse(type, bytes(body)).text("model")).isEqualTo("m");
    }

    /** A body in several arrays, as a large one is buffered, cut within the boundary. */
    @Test
    void readsBodiesInParts() {
        var body = MODEL + FILE + "x".repeat(5000) + END;
        for (int cut = 1; cut < body.length(); cut += 7) {
            var parts = Unpooled.wrappedBuffer(bytes(body.substring(0, cut)), bytes(body.substring(cut)));
            var form = MultipartForm.parse(TYPE, parts);
            assertThat(form.text("model")).isEqualTo("m");
            assertThat(form.files().get(0).content().readableBytes()).isEqualTo(5000);
        }
    }

    /** Each is read in another way by some server. */
    @ParameterizedTest
    @ValueSource(strings = {"", "x", "--b", "--b\r\n", "--b\r\n\r\n", "preamble\r\n" + MODEL + "--b--", MODEL, MODEL + "--b",
            MODEL + "--b-", MODEL + "--b--x", MODEL + "--b--\r\nepilogue", MODEL + "--b--\r\n" + MODEL + "--b--",
            MODEL + FILE + "a\n--b\nContent-Disposition: form-data; name=\"model\"\n\nother\n--b--\n" + END,
            MODEL + FILE + "a--b" + END, MODEL + FILE + "a\r\n--bc" + END, MODEL + FILE + "a\r\n--b \r\n" + END,
            MODEL + FILE + "a\n--b--" + END, "--b\nContent-Disposition: form-data; name=\"model\"\n\nm\n--b--\n",
            "--b\r\n\r\nm\r\n--b--", "--b\r\nContent-Disposition: form-data; name=\"a\"; name=\"model\"\r\n\r\nm\r\n--b--",
            "--b\r\nContent-Disposition: attachment; name=\"model\"\r\n\r\nm\r\n--b--",
            "--b\r\nContent-Disposition: form-data; name=\"mod%65l\"\r\n\r\nm\r\n--b--",
            "--b\r\nContent-Disposition: form-data; name=\"mod\\el\"\r\n\r\nm\r\n--b--",
            "--b\r\nContent-Disposition: form-data; name=\"model\r\n\r\nm\r\n--b--",
            "--b\r\nContent-Disposition: form-data; name=\"model\"\r\nContent-Type: text/plain; charset=utf-16\r\n\r\nm\r\n--b--",
            "--b\r\nContent-Disposition: form-data; name*=utf-8''model\r\n\r\nm\r\n--b--",
            "--b\r\nContent-Disposition: form-data; name=\"a\"\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\nm\r\n--b--",
            "--b\r\nContent-Disposition: form-data;\r\n name=\"model\"\r\n\r\nm\r\n--b--",
            "--b\r\nContent-Disposition : form-data; name=\"model\"\r\n\r\nm\r\n--b--",
            "--b\r\nContent-Disposition: form-data; name=\"model\"\r\nContent-Transfer-Encoding: base64\r\n\r\nbQ==\r\n--b--",
            "--b\r\nContent-Disposition: form-data; name=\"a\"; filename=\"\\\"; name=\"model\"\r\n\r\nm\r\n--b--"})
    void refusesWhatServersReadDifferently(String body) {
        assertThatThrownBy(() -> parse(body)).isInstanceOf(InvalidRequestBodyException.class);
    }

    @ParameterizedTest
    @ValueSource(strings = {"multipart/form-data", "multipart/form-data; boundary=",
            "multipart/form-data; boundary=b; boundary=c",
            "multipart/mixed; boundary=b", "multipart/form-data; boundary=\"b", "multipart/form-data; boundary=b; x=y",
            "multipart/form-data; boundary=b; charset=utf-16", "multipart/form-data; charset=utf-8; boundary=b; boundary=c",
            "multipart/form-data; boundary=b c", "multipart/form-data, multipart/form-data; boundary=b"})
    void refusesOtherTypes(String type) {
        assertThatThrownBy(() -> MultipartForm.parse(type, bytes(MODEL + "--b--")))
                .isInstanceOf(InvalidRequestBodyException.class);
    }

    @Test
    void refusesAFieldThatIsNotClear() {
        var model = MODEL.replace("\r\nm\r\n", "\r\nother\r\n");
        for (var body : new String[]{MODEL + model, MODEL + model.replace("model", "Model"),
                MODEL + model.replace("model", "model[]"),
                MODEL + model.replace("model", "model[0]"), model.replace("model", "model.x"),
                MODEL.replace("\"model\"", "\"model\"; filename=\"x\""), MODEL.replace("\"model\"", "\"Model\""),
                MODEL.replace("\r\nm\r\n", "\r\n\u00ff\r\n"),
                MODEL.replace("\r\nm\r\n", "\r\n" + "m".repeat(4097) + "\r\n"),
                MODEL.replace("\r\nm\r\n", "\r\nm\t\r\n"), MODEL.replace("\r\nm\r\n", "\r\n\u00c3\u00a9\r\n")}) {
            var form = parse(body + "--b--");
            assertThatThrownBy(() -> form.text("model")).as(body).isInstanceOf(InvalidRequestBodyException.class);
        }
    }

    @Test
    void refusesTooManyParts() {
        parse(MODEL.repeat(256) + "--b--");
        assertThatThrownBy(() -> parse(MODEL.repeat(257) + "--b--")).isInstanceOf(InvalidRequestBodyException.class);
    }
}
