// SPDX-License-Identifier: GPL-2.0-only
/*
 * Choosing calls and values.
 *
 * Most of what is chosen makes sense: an id is one that an earlier call has given, and
 * that call is put in front if there is none; lengths and addresses are those at which
 * something happens. Now and then nothing of this holds.
 */
#include "generate.h"

#include <string.h>

#define PAGE 0x1000ULL
#define HUGE_PAGE 0x200000ULL

/* A call may need one that needs one... */
#define DEPTH 4

/* Lengths and distances around which the kernel decides. */
static const uint64_t lengths[] = {
	PAGE, PAGE, PAGE, PAGE, PAGE, 2 * PAGE, 2 * PAGE, 2 * PAGE, 3 * PAGE, 3 * PAGE,
	4 * PAGE, 4 * PAGE, 16 * PAGE, 17 * PAGE, 20 * PAGE, PAGE / 2, PAGE / 2, 3 * PAGE / 2,
	5 * PAGE / 2, 1, 100, PAGE - 1, PAGE + 1, HUGE_PAGE, HUGE_PAGE + PAGE, 2 * HUGE_PAGE,
	0, 0, UINT64_MAX, UINT64_MAX,
};

/* Of what nobody has so much. */
static const uint64_t long_lengths[] = {
	HUGE_PAGE - PAGE / 2, 0x100000, 0x40000000, 1ULL << 32, 1ULL << 63,
	UINT64_MAX - 1, UINT64_MAX - PAGE, UINT64_MAX - PAGE + 1,
};

/* Where IOVA space begins, ends and changes: see the mock's apertures. */
static const uint64_t iovas[] = {
	0x1000000, 0x1000000, 0x1000000, 0x1000000, 0x1200000, 0x1200000, 0x2000000, 0x40000000,
	0, PAGE, 0xfff000, 0x7fe00000, 0x80000000, 1ULL << 38, (1ULL << 38) - PAGE,
	1ULL << 40, UINT64_MAX - PAGE + 1, UINT64_MAX - PAGE, UINT64_MAX, 1ULL << 63,
};

static const uint64_t odd_numbers[] = {
	1, 2, 3, 7, 8, 0x7f, 0x80, 0xff, 0x100, 0xffff, 0x10000, 0x7fffffff, 0x80000000,
	0xffffffff, 0x100000000, 0x7fffffffffffffff, 0x8000000000000000, UINT64_MAX,
	UINT64_MAX - 1, UINT64_MAX - PAGE, UINT64_MAX - PAGE + 1,
};

#define ONE_OF(_random, _array) \
	((_array)[random_below(_random, sizeof(_array) / sizeof((_array)[0]))])

/**
 * struct state - a program that is being made
 * @random: Where choices come from
 * @program: The program
 * @at: Index of where the next call goes
 * @depth: How many calls wait for the one that is being made
 */
struct state {
	struct random *random;
	struct program *program;
	unsigned int at;
	unsigned int depth;
};

static void add_call(struct state *state, const struct operation *operation);

uint32_t random_below(struct random *random, uint32_t limit)
{
	uint64_t mixed;

	random->state += 0x9e3779b97f4a7c15ULL;
	mixed = random->state;
	mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9ULL;
	mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111ebULL;
	mixed ^= mixed >> 31;
	return limit ? mixed % limit : 0;
}

static struct value number(uint64_t value)
{
	return (struct value){ .number = value };
}

/* Which slots of a sort have something at this point of the program? */
static unsigned int filled_slots(const struct state *state, unsigned int base)
{
	unsigned int slots = base == BASE_CONTEXT ? 1 : base == BASE_BACKING ? 7 : 0, i, j;

	for (i = 0; i < state->at; i++) {
		const struct call *call = &state->program->calls[i];

		for (j = 0; j < MAX_OUTPUTS; j++)
			if (call->operation->outputs[j].base == base)
				slots |= 1U << call->out;
	}
	return slots;
}

static unsigned int any_base(struct random *random, uint32_t set)
{
	unsigned int nth = random_below(random, __builtin_popcount(set)), base = 0;

	for (;; base++)
		if (set & (1U << base) && !nth--)
			return base;
}

/* Has somebody make a result of this sort first. */
static void make_result(struct state *state, unsigned int base)
{
	unsigned int i, j, start = random_below(state->random, operation_count);

	for (i = 0; i < operation_count; i++) {
		const struct operation *each = &operations[(start + i) % operation_count];

		for (j = 0; j < MAX_OUTPUTS && each->outputs[j].base != base; j++)
			;
		/* What moves a device does not make an HWPT out of nothing. */
		if (j == MAX_OUTPUTS || (base == BASE_HWPT && !j))
			continue;
		state->depth++;
		add_call(state, each);
		state->depth--;
		return;
	}
}

static struct value choose_result(struct state *state, uint32_t set)
{
	struct random *random = state->random;
	struct value value = { .base = any_base(random, set) };
	unsigned int slots = filled_slots(state, value.base), i;

	if (!slots && state->depth < DEPTH && !one_in(random, 8)) {
		make_result(state, value.base);
		slots = filled_slots(state, value.base);
	}
	/* The last one made is the most interesting. */
	value.slot = random_below(random, SLOTS);
	for (i = 0; i < 2 && !(slots & (1U << value.slot)); i++)
		value.slot = random_below(random, SLOTS);
	if (slots && !(slots & (1U << value.slot)))
		value.slot = __builtin_ctz(slots);
	return value;
}

static uint64_t choose_length(struct random *random)
{
	return one_in(random, 12) ? ONE_OF(random, long_lengths) : ONE_OF(random, lengths);
}

static struct value choose_address(struct random *random)
{
	struct value value = {
		.base = FIRST_ARENA + random_below(random, LAST_ARENA - FIRST_ARENA + 1),
	};

	if (one_in(random, 3))
		value.base = BASE_ANONYMOUS;
	if (one_in(random, 2))
		value.number = random_below(random, 20) * PAGE;
	if (one_in(random, 8))
		value.number += PAGE / 2;
	if (one_in(random, 10))
		value.number += choose_length(random);
	if (one_in(random, 40))
		return number(ONE_OF(random, odd_numbers));
	return value;
}

static struct value choose_iova(struct state *state)
{
	struct random *random = state->random;
	struct value value = number(ONE_OF(random, iovas));

	/* With MOCK_FLAGS_ACCESS_SYZ: the number of a mapping, and where in it. */
	if (one_in(random, 16))
		return number(random_below(random, 4) | random_below(random, 4) * PAGE << 32);
	if (one_in(random, 2) && filled_slots(state, BASE_IOVA)) {
		value = choose_result(state, SET(IOVA));
		if (one_in(random, 2))
			return value;
	}
	if (one_in(random, 2))
		value.number += random_below(random, 24) * PAGE;
	if (one_in(random, 8))
		value.number += choose_length(random);
	return value;
}

static struct value choose_pointer(struct random *random)
{
	if (one_in(random, 6))
		return choose_address(random);
	return (struct value){ .base = BASE_PAYLOAD };
}

static struct value choose_choice(struct random *random, const uint32_t *choices)
{
	unsigned int count = 0;

	while (choices[count])
		count++;
	/* The first is the one that works, and 0 is none. */
	if (one_in(random, 2))
		return number(choices[0]);
	return number(choices[random_below(random, count + 1)]);
}

static struct value choose_mask(struct random *random, uint64_t mask)
{
	uint64_t bits = random_below(random, UINT32_MAX) & mask;

	/* Few bits are more often right. */
	return number(one_in(random, 3) ? mask & 7 : one_in(random, 2) ? bits : bits & (mask >> 1));
}

static struct value choose_size(struct random *random, uint64_t size)
{
	if (one_in(random, 20))
		size = size + random_below(random, 24) - 12;
	return number(size);
}

static struct value choose_sane(struct state *state, const struct operation *operation,
				const struct field *field)
{
	struct random *random = state->random;

	switch (field->kind) {
	case KIND_SIZE:
		return choose_size(random, operation->size);
	case KIND_CONSTANT:
		return number(field->number);
	case KIND_SMALL:
		return number(random_below(random, field->number + 1));
	case KIND_MASK:
		return choose_mask(random, field->number);
	case KIND_CHOICE:
		return choose_choice(random, field->choices);
	case KIND_RESULT:
		return choose_result(state, field->set);
	case KIND_ADDRESS:
		return choose_address(random);
	case KIND_OPTIONAL:
		return one_in(random, 4) ? choose_address(random) : number(0);
	case KIND_POINTER:
		return choose_pointer(random);
	case KIND_IOVA:
	case KIND_LAST:
		return choose_iova(state);
	case KIND_LENGTH:
		return number(choose_length(random));
	case KIND_PAGE_SIZE:
		return number(PAGE / 2 << random_below(random, 11));
	case KIND_RESERVED:
		break;
	}
	return number(0);
}

static struct value choose_value(struct state *state, const struct operation *operation,
				 const struct field *field)
{
	struct random *random = state->random;

	if (!one_in(random, 60))
		return choose_sane(state, operation, field);
	switch (random_below(random, 3)) {
	case 0:
		return number(ONE_OF(random, odd_numbers));
	case 1:
		return choose_result(state, SET_IDS | SET_FDS);
	default:
		return number(random_below(random, 1 << random_below(random, 31)));
	}
}

static void choose_payload(struct state *state, struct call *call)
{
	const struct operation *operation = call->operation;
	unsigned int period = 0, i;

	while (period < 3 && operation->payload[period].name)
		period++;
	if (!period)
		return;
	call->payload_words = period * (1 + random_below(state->random, MAX_PAYLOAD / period));
	for (i = 0; i < call->payload_words; i++) {
		const struct field *word = &operation->payload[i % period];

		call->payload[i] = choose_value(state, operation, word);
		if (word->kind == KIND_LAST && !one_in(state->random, 8)) {
			call->payload[i] = call->payload[i - 1];
			call->payload[i].number += choose_length(state->random) - 1;
		}
	}
}

static void choose_circumstances(struct random *random, struct call *call)
{
	call->out = random_below(random, SLOTS);
	call->helper = one_in(random, 10);
	if (one_in(random, 40))
		call->place = random_below(random, PLACES);
	if (one_in(random, 15))
		call->fail = 1 + random_below(random, one_in(random, 2) ? 6 : 40);
}

static void insert(struct state *state, const struct call *call)
{
	struct program *program = state->program;

	if (program->count == MAX_CALLS)
		return;
	memmove(&program->calls[state->at + 1], &program->calls[state->at],
		(program->count - state->at) * sizeof(*call));
	program->calls[state->at++] = *call;
	program->count++;
}

static void add_call(struct state *state, const struct operation *operation)
{
	struct call call = call_of(operation);
	unsigned int i;

	choose_circumstances(state->random, &call);
	if (state->depth) {
		call.fail = 0;
		call.place = PLACE_EDGE;
		call.helper = false;
	}
	if (operation->on)
		call.on = choose_value(state, operation, &(struct field){
			.kind = KIND_RESULT, .set = operation->on });
	for (i = 0; i < grammar_fields(operation); i++)
		call.fields[i] = choose_value(state, operation, &operation->fields[i]);
	choose_payload(state, &call);
	insert(state, &call);
}

static const struct operation *choose_operation(struct random *random)
{
	unsigned int total = 0, i, chosen;

	for (i = 0; i < operation_count; i++)
		total += operations[i].weight;
	chosen = random_below(random, total);
	for (i = 0; chosen >= operations[i].weight; i++)
		chosen -= operations[i].weight;
	return &operations[i];
}

/**
 * generate_program - a new program
 * @random: What it is made of
 * @program: Set to it
 */
void generate_program(struct random *random, struct program *program)
{
	struct state state = { .random = random, .program = program };
	unsigned int wanted = 4 + random_below(random, MAX_CALLS - 8);

	program->count = 0;
	while (program->count < wanted)
		add_call(&state, choose_operation(random));
}

static void change_field(struct state *state, struct call *call)
{
	unsigned int count = grammar_fields(call->operation);
	unsigned int chosen = random_below(state->random, count + 3);

	/* Nothing may be put in front of the call now. */
	state->depth = DEPTH;
	if (chosen < count)
		call->fields[chosen] = choose_value(state, call->operation,
						    &call->operation->fields[chosen]);
	else if (chosen == count)
		choose_circumstances(state->random, call);
	else if (chosen == count + 1)
		call->fail = call->fail ? call->fail + 1U : 1 + random_below(state->random, 8);
	else
		choose_payload(state, call);
}

static void duplicate(struct state *state)
{
	struct call call = state->program->calls[state->at];

	state->at = random_below(state->random, state->program->count + 1);
	insert(state, &call);
}

static void splice(struct state *state, const struct program *other)
{
	unsigned int i = random_below(state->random, other->count);

	for (; i < other->count && !one_in(state->random, 6); i++)
		insert(state, &other->calls[i]);
}

static void mutate_once(struct state *state, const struct program *other)
{
	struct program *program = state->program;

	state->at = random_below(state->random, program->count);
	state->depth = 0;
	switch (random_below(state->random, 10)) {
	case 0:
		if (program->count > 1)
			program_remove(program, state->at);
		break;
	case 1:
		duplicate(state);
		break;
	case 2:
		splice(state, other);
		break;
	case 3 ... 5:
		state->at = random_below(state->random, program->count + 1);
		add_call(state, choose_operation(state->random));
		break;
	default:
		change_field(state, &program->calls[state->at]);
	}
}

/**
 * generate_mutation - change a program a little
 * @random: What decides
 * @program: The program
 * @other: Another one, whose calls may be taken over
 */
void generate_mutation(struct random *random, struct program *program,
		       const struct program *other)
{
	struct state state = { .random = random, .program = program };
	unsigned int i;

	for (i = 0; i < program->count; i++)
		program->calls[i].expect = ANY_RESULT;
	do
		mutate_once(&state, other);
	while (!one_in(random, 3));
	for (i = 0; i < program->count; i++)
		program->calls[i].expect = ANY_RESULT;
}
