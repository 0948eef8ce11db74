package dev.sluice.llm.client;

import java.io.InputStream;
import java.util.concurrent.CompletionStage;

import jakarta.ws.rs.Consumes;
import jakarta.ws.rs.GET;
import jakarta.ws.rs.HeaderParam;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Response;

import org.eclipse.microprofile.rest.client.annotation.RegisterProvider;
import org.eclipse.microprofile.rest.client.inject.RegisterRestClient;

import dev.sluice.llm.LlmProvider;
import io.smallrye.mutiny.Multi;
import io.smallrye.mutiny.Uni;
import io.vertx.core.json.JsonObject;

/** REST clients like those of an application. */
final class StubClients {

    private static final String UNREACHABLE_URL = "http://127.0.0.1:1";

    private StubClients() {
    }

    /** Client with a short timeout. */
    @RegisterRestClient(configKey = "slow", baseUri = UNREACHABLE_URL)
    @RegisterProvider(LlmRateLimitFilter.class)
    @LlmProvider("openai")
    @Path("/v1")
    @Consumes(MediaType.APPLICATION_JSON)
    @Produces(MediaType.APPLICATION_JSON)
    interface Slow {

        @POST
        @Path("/chat/completions")
        Uni<String> chat(String body);
    }

    @RegisterRestClient(configKey = "stub", baseUri = UNREACHABLE_URL)
    @RegisterProvider(LlmRateLimitFilter.class)
    @LlmProvider("openai")
    @Path("/v1")
    @Consumes(MediaType.APPLICATION_JSON)
    @Produces(MediaType.APPLICATION_JSON)
    interface Limited {

        @POST
        @Path("/chat/completions")
        String chat(String body);

        @POST
        @Path("/chat/completions")
        String chatAs(@HeaderParam("X-User-Id") String user, @HeaderParam("X-User-Tier") String tier, String body);

        @POST
        @Path("/chat/completions")
        Uni<JsonObject> chatObject(JsonObject body);

        @POST
        @Path("/chat/completions")
        Uni<String> chatAsync(byte[] body);

        @POST
        @Path("/chat/completions")
        CompletionStage<String> chatStage(String body);

        @POST
        @Path("/chat/completions")
        Response chatRaw(String body);

        @POST
        @Path("/chat/completions")
        InputStream chatBytes(String body);

        @POST
        @Path("/chat/completions")
        @Produces(MediaType.SERVER_SENT_EVENTS)
        Multi<String> stream(String body);

        @GET
        @Path("/models")
        String models();

        @POST
        @Path("/images/generations")
        String unknown(String body);
    }

    @RegisterRestClient(configKey = "stub", baseUri = UNREACHABLE_URL)
    @Path("/v1")
    @Consumes(MediaType.APPLICATION_JSON)
    interface Unlimited {

        @POST
        @Path("/chat/completions")
        String chat(@HeaderParam("X-User-Id") String user, String body);
    }

    @RegisterRestClient(configKey = "nowhere", baseUri = UNREACHABLE_URL)
    @RegisterProvider(LlmRateLimitFilter.class)
    @LlmProvider("openai")
    @Path("/v1")
    interface Unreachable {

        @POST
        @Path("/chat/completions")
        String chat(String body);
    }
}
