package dev.sluice.store.redis;

import dev.sluice.redis.LuaScript;
import dev.sluice.store.ClaimPlan;
import dev.sluice.store.WindowBound;

/**
 * The script that decides a batch, with the arguments that are the same for all batches.
 *
 * @param lua the script
 * @param maxWindows maximum number of windows per identifier, encoded
 * @param instance name of this instance in the slots of requests in flight, encoded
 * @param bound is told of denials by that maximum
 */
record DecisionScript(LuaScript lua, byte[] maxWindows, byte[] instance, WindowBound bound) {

    /**
     * @param timeExpression see {@link LuaScript#load(Class, String, String)}
     * @param instance name of this instance in the slots of requests in flight
     */
    static DecisionScript load(String timeExpression, int maxWindows, String instance) {
        return new DecisionScript(LuaScript.load(DecisionScript.class, "decide.lua", timeExpression),
                ClaimPlan.bytes(Integer.toString(maxWindows)), ClaimPlan.bytes(instance), new WindowBound(maxWindows));
    }
}
