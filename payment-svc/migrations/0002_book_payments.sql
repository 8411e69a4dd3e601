-- Books a batch of payments in one transaction and one round trip.
--
-- Item i is the i-th element of every array. One row comes back per item, in input order:
--   booked              the money moved (payment_id and created_us are those of the payment)
--   insufficient_funds  final for this key
--   key_reused          the key is recorded with another request
--   user_unknown, merchant_unknown, currency_mismatch   nothing is remembered
-- `replayed` says that the outcome was recorded before, by an earlier batch or an earlier item.
--
-- Accounts are locked first, in one order for every caller, so batches cannot deadlock. The lock on
-- the payer's account also serialises everything done under that payer's keys: whoever gets it sees
-- what the holder before recorded, because each statement here takes a new snapshot.
CREATE FUNCTION book_payments(
    p_ids text[], p_users text[], p_merchants text[], p_stripes smallint[], p_amounts bigint[],
    p_currencies text[], p_references text[], p_keys text[], p_hashes bytea[]
) RETURNS TABLE (ord integer, outcome text, payment_id text, created_us bigint, replayed boolean)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    v_count     integer   := cardinality(p_ids);
    v_now_us    bigint    := (extract(epoch FROM now()) * 1000000)::bigint;
    v_outcomes  text[]    := array_fill(''::text, ARRAY[v_count]);
    v_ids       text[]    := p_ids;
    v_times     bigint[]  := array_fill(v_now_us, ARRAY[v_count]);
    v_replays   boolean[] := array_fill(false, ARRAY[v_count]);
    v_spender   text      := NULL;
    v_left      bigint    := 0;
    v_recorded  boolean   := false;
    item        record;
BEGIN
    PERFORM 1 FROM accounts a
      WHERE (a.id, a.stripe) IN (
            SELECT u, 0::smallint FROM unnest(p_users) AS u
            UNION
            SELECT m, s FROM unnest(p_merchants, p_stripes) AS t (m, s))
      ORDER BY a.id, a.stripe
      FOR NO KEY UPDATE;

    FOR item IN
        SELECT i.ord::integer AS ord, i.usr, i.amount, i.currency, i.hash,
               u.balance_minor AS balance, u.currency AS user_currency, m.currency AS merchant_currency,
               k.request_hash AS known_hash, k.outcome AS known_outcome, k.transfer_id AS known_id,
               (extract(epoch FROM k.created_at) * 1000000)::bigint AS known_us,
               (min(i.ord) OVER (PARTITION BY i.usr, i.key))::integer AS first_ord
          FROM unnest(p_users, p_merchants, p_stripes, p_amounts, p_currencies, p_keys, p_hashes)
               WITH ORDINALITY AS i (usr, merchant, stripe, amount, currency, key, hash, ord)
          LEFT JOIN accounts u ON u.id = i.usr AND u.stripe = 0 AND u.kind = 'user'
          LEFT JOIN accounts m ON m.id = i.merchant AND m.stripe = i.stripe AND m.kind = 'merchant'
          LEFT JOIN idempotency_keys k ON k.user_id = i.usr AND k.key = i.key
         ORDER BY i.usr, i.ord
    LOOP
        IF v_spender IS DISTINCT FROM item.usr THEN
            v_spender := item.usr;
            v_left := item.balance;
        END IF;
        IF item.balance IS NULL THEN
            v_outcomes[item.ord] := 'user_unknown';
        ELSIF item.known_hash IS NOT NULL AND item.known_hash <> item.hash THEN
            v_outcomes[item.ord] := 'key_reused';
        ELSIF item.known_hash IS NOT NULL THEN
            v_outcomes[item.ord] := item.known_outcome;
            v_ids[item.ord] := item.known_id;
            v_times[item.ord] := item.known_us;
            v_replays[item.ord] := true;
        ELSIF item.first_ord < item.ord AND p_hashes[item.first_ord] <> item.hash THEN
            v_outcomes[item.ord] := 'key_reused';
        ELSIF item.first_ord < item.ord THEN
            v_outcomes[item.ord] := v_outcomes[item.first_ord];
            v_ids[item.ord] := v_ids[item.first_ord];
            v_replays[item.ord] := true;
        ELSIF item.user_currency <> item.currency THEN
            v_outcomes[item.ord] := 'currency_mismatch';
        ELSIF item.merchant_currency IS NULL THEN
            v_outcomes[item.ord] := 'merchant_unknown';
        ELSIF item.merchant_currency <> item.currency THEN
            v_outcomes[item.ord] := 'currency_mismatch';
        ELSIF v_left < item.amount THEN
            v_outcomes[item.ord] := 'insufficient_funds';
            v_recorded := true;
        ELSE
            v_outcomes[item.ord] := 'booked';
            v_left := v_left - item.amount;
            v_recorded := true;
        END IF;
    END LOOP;

    IF v_recorded THEN
        PERFORM record_payments(p_ids, p_users, p_merchants, p_stripes, p_amounts, p_currencies,
                                p_references, p_keys, p_hashes, v_outcomes, v_replays);
    END IF;
    RETURN QUERY
        SELECT r.ord::integer, r.outcome, r.id, r.us, r.replayed
          FROM unnest(v_outcomes, v_ids, v_times, v_replays)
               WITH ORDINALITY AS r (outcome, id, us, replayed, ord)
         ORDER BY r.ord;
END;
$$;

-- Writes what book_payments decided; the accounts are locked by the caller.
CREATE FUNCTION record_payments(
    p_ids text[], p_users text[], p_merchants text[], p_stripes smallint[], p_amounts bigint[],
    p_currencies text[], p_references text[], p_keys text[], p_hashes bytea[],
    p_outcomes text[], p_replays boolean[]
) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO idempotency_keys (user_id, key, request_hash, outcome, transfer_id)
    SELECT i.usr, i.key, i.hash, i.outcome, CASE WHEN i.outcome = 'booked' THEN i.id END
      FROM unnest(p_ids, p_users, p_keys, p_hashes, p_outcomes, p_replays)
           AS i (id, usr, key, hash, outcome, replayed)
     WHERE i.outcome IN ('booked', 'insufficient_funds') AND NOT i.replayed;

    INSERT INTO payments (id, user_id, merchant_id, merchant_stripe, amount_minor, currency,
                          reference, idempotency_key)
    SELECT i.id, i.usr, i.merchant, i.stripe, i.amount, i.currency, i.reference, i.key
      FROM unnest(p_ids, p_users, p_merchants, p_stripes, p_amounts, p_currencies, p_references,
                  p_keys, p_outcomes, p_replays)
           AS i (id, usr, merchant, stripe, amount, currency, reference, key, outcome, replayed)
     WHERE i.outcome = 'booked' AND NOT i.replayed;

    INSERT INTO entries (transfer_id, leg, account_id, stripe, amount_minor, currency)
    SELECT i.id, leg.leg, CASE leg.leg WHEN 0 THEN i.usr ELSE i.merchant END,
           CASE leg.leg WHEN 0 THEN 0 ELSE i.stripe END,
           CASE leg.leg WHEN 0 THEN -i.amount ELSE i.amount END, i.currency
      FROM unnest(p_ids, p_users, p_merchants, p_stripes, p_amounts, p_currencies, p_outcomes,
                  p_replays)
           AS i (id, usr, merchant, stripe, amount, currency, outcome, replayed),
           (VALUES (0::smallint), (1::smallint)) AS leg (leg)
     WHERE i.outcome = 'booked' AND NOT i.replayed;

    UPDATE accounts a
       SET balance_minor = a.balance_minor + d.delta, updated_at = now()
      FROM (SELECT c.id, c.stripe, sum(c.delta)::bigint AS delta
              FROM (SELECT i.usr AS id, 0::smallint AS stripe, -i.amount AS delta
                      FROM unnest(p_users, p_amounts, p_outcomes, p_replays)
                           AS i (usr, amount, outcome, replayed)
                     WHERE i.outcome = 'booked' AND NOT i.replayed
                    UNION ALL
                    SELECT i.merchant, i.stripe, i.amount
                      FROM unnest(p_merchants, p_stripes, p_amounts, p_outcomes, p_replays)
                           AS i (merchant, stripe, amount, outcome, replayed)
                     WHERE i.outcome = 'booked' AND NOT i.replayed) AS c
             GROUP BY c.id, c.stripe) AS d
     WHERE a.id = d.id AND a.stripe = d.stripe;

    INSERT INTO outbox (topic, message_id, payload)
    SELECT 'payments.succeeded', i.id || '.succeeded',
           json_build_object('type', 'payment.succeeded', 'payment_id', i.id, 'user_id', i.usr,
                             'merchant_id', i.merchant, 'amount_minor', i.amount,
                             'currency', i.currency, 'time', now())::text
      FROM unnest(p_ids, p_users, p_merchants, p_amounts, p_currencies, p_outcomes, p_replays)
           WITH ORDINALITY AS i (id, usr, merchant, amount, currency, outcome, replayed, ord)
     WHERE i.outcome = 'booked' AND NOT i.replayed
     ORDER BY i.ord;
END;
$$;
