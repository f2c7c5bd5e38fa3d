/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A boot sector that reads the CHUNKS * CHUNK_SECTORS sectors behind it through
 * the BIOS and sends their bytes to QEMU's debug console.
 *
 * Knows int 0x13 and the port. What the sectors hold is nothing to it.
 */
#define CHUNK_SECTORS 64
#define CHUNKS 4
#define SECTOR_SIZE 512
#define BUFFER_SEGMENT 0x1000
#define DEBUG_CONSOLE 0xe9
#define EXTENDED_READ 0x42

	.code16
	.text
	.globl _start
_start:
	ljmp	$0, $begin
begin:
	cld
	xorw	%ax, %ax
	movw	%ax, %ds
	movw	%ax, %ss
	movw	$_start, %sp
	movw	%dx, %bp		/* %dl: the drive */

next_chunk:
	movw	%bp, %dx
	movb	$EXTENDED_READ, %ah
	movw	$request, %si
	int	$0x13
	jc	stop

	pushw	%ds
	movw	$BUFFER_SEGMENT, %ax
	movw	%ax, %ds
	xorw	%si, %si
	movw	$(CHUNK_SECTORS * SECTOR_SIZE), %cx
	movw	$DEBUG_CONSOLE, %dx
	rep outsb
	popw	%ds

	addl	$CHUNK_SECTORS, first_sector
	decw	chunks
	jnz	next_chunk
stop:
	hlt
	jmp	stop

chunks:
	.word	CHUNKS
request:
	.byte	16, 0
	.word	CHUNK_SECTORS
	.word	0, BUFFER_SEGMENT
first_sector:
	.quad	1

	.org	510
	.word	0xaa55
