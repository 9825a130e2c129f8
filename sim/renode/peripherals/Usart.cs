using System;
using System.Collections.Generic;

using Antmicro.Migrant;
using Antmicro.Renode.Core;
using Antmicro.Renode.Peripherals.Bus;
using Antmicro.Renode.Peripherals.UART;

namespace Antmicro.Renode.Peripherals.Boardless
{
    // USART or UART (RM0090, chapter 30): words leave and arrive at the speed that BRR says, by
    // polling, interrupt or DMA. Parity, LIN, smartcard and synchronous modes are not modelled.
    public sealed class Usart : IDoubleWordPeripheral, IWordPeripheral, IBytePeripheral, IKnownSize,
        IUART, IDmaClient
    {
        public Usart(IMachine machine, string port, uint frequency, ulong address, Dma dma)
        {
            this.machine = machine;
            this.frequency = frequency;
            this.dma = dma;
            Port = port;
            DataAddress = address + Data;
            IRQ = new GPIO();
            transmitRequest = port + "_TX";
            receiveRequest = port + "_RX";
            dma.Connect(transmitRequest, this);
            dma.Connect(receiveRequest, this);
            shift = new Delay(machine, this, "shift", ShiftedOut);
            arrival = new Delay(machine, this, "arrival", Arrived);
            Reset();
        }

        public void Reset()
        {
            Array.Clear(registers, 0, registers.Length);
            registers[Status / 4] = TransmitEmpty | TransmissionComplete;
            waiting = null;
            arriving.Clear();
            shift.Stop();
            arrival.Stop();
            UpdateInterrupt();
        }

        public uint ReadDoubleWord(long offset)
        {
            if(offset == Data)
            {
                registers[Status / 4] &= ~(ReceiveNotEmpty | Overrun);
                UpdateInterrupt();
                return received;
            }
            return offset < RegistersEnd ? registers[offset / 4] : 0;
        }

        public void WriteDoubleWord(long offset, uint value)
        {
            if(offset == Data)
            {
                Send((byte)value, true);
            }
            else if(offset == Status)
            {
                registers[Status / 4] &= value | ~ClearedByZero;
            }
            else if(offset < RegistersEnd)
            {
                registers[offset / 4] = value;
                Delay.Synchronise(machine); // what this starts, it starts now
                AwaitArrival();
                RequestTransmit();
            }
            UpdateInterrupt();
        }

        public ushort ReadWord(long offset)
        {
            return (ushort)ReadDoubleWord(offset);
        }

        public void WriteWord(long offset, ushort value)
        {
            WriteDoubleWord(offset, value);
        }

        public byte ReadByte(long offset)
        {
            return (byte)ReadDoubleWord(offset);
        }

        public void WriteByte(long offset, byte value)
        {
            WriteDoubleWord(offset, value);
        }

        // From outside: the words arrive one after the other at the baud rate.
        public void WriteChar(byte value)
        {
            arriving.Enqueue(value);
            AwaitArrival();
        }

        public byte[] ReadData(int size, int count)
        {
            return new[] { (byte)ReadDoubleWord(Data) };
        }

        public void WriteData(uint value)
        {
            Send((byte)value, false);
        }

        public void Invite(string request)
        {
            if(request == transmitRequest)
            {
                RequestTransmit();
            }
            else
            {
                RequestReceive();
            }
            UpdateInterrupt();
        }

        [field: Transient]
        public event Action<byte> CharReceived;

        public string Port { get; }

        public ulong DataAddress { get; }

        public GPIO IRQ { get; }

        public long Size => 0x400;

        public uint BaudRate => BitClocks == 0 ? 0 : frequency / BitClocks;

        public Bits StopBits => Bits.One;

        public Parity ParityBit => Parity.None;

        private void Send(byte value, bool fromAccess)
        {
            if(!Has(Control1, UsartEnable | TransmitterEnable))
            {
                return;
            }
            registers[Status / 4] &= ~TransmissionComplete;
            if(shift.IsRunning)
            {
                waiting = value;
                registers[Status / 4] &= ~TransmitEmpty;
            }
            else
            {
                ShiftOut(value, fromAccess);
            }
        }

        private void ShiftOut(byte value, bool fromAccess)
        {
            shifting = value;
            if(BitClocks != 0)
            {
                shift.Start(WordNanoseconds, fromAccess);
            }
        }

        private void ShiftedOut()
        {
            var sent = shifting;
            if(waiting.HasValue)
            {
                var next = waiting.Value;
                waiting = null;
                registers[Status / 4] |= TransmitEmpty;
                ShiftOut(next, false);
            }
            RequestTransmit();
            if(!shift.IsRunning)
            {
                registers[Status / 4] |= TransmissionComplete;
            }
            UpdateInterrupt();
            CharReceived?.Invoke(sent);
        }

        private void RequestTransmit()
        {
            if(!Has(Control3, DmaTransmit) || !Has(Control1, UsartEnable | TransmitterEnable) || BitClocks == 0)
            {
                return;
            }
            // One word for the shift register, one for the data register.
            for(var word = 0; word < 2 && (registers[Status / 4] & TransmitEmpty) != 0; word++)
            {
                if(dma.Serve(transmitRequest, 1) == 0)
                {
                    return;
                }
            }
        }

        private void AwaitArrival()
        {
            if(arriving.Count > 0 && !arrival.IsRunning && BitClocks != 0
                && Has(Control1, UsartEnable | ReceiverEnable))
            {
                arrival.Start(WordNanoseconds);
            }
        }

        private void Arrived()
        {
            if(arriving.Count == 0 || !Has(Control1, UsartEnable | ReceiverEnable))
            {
                return;
            }
            var word = arriving.Dequeue();
            if((registers[Status / 4] & ReceiveNotEmpty) != 0)
            {
                registers[Status / 4] |= Overrun; // the word in DR stays, the new one is lost
            }
            else
            {
                received = word;
                registers[Status / 4] |= ReceiveNotEmpty;
            }
            AwaitArrival();
            RequestReceive();
            UpdateInterrupt();
        }

        private void RequestReceive()
        {
            if(Has(Control3, DmaReceive) && (registers[Status / 4] & ReceiveNotEmpty) != 0)
            {
                dma.Serve(receiveRequest, 1);
            }
        }

        private void UpdateInterrupt()
        {
            // TXEIE, TCIE, RXNEIE and IDLEIE stand at the places of their flags.
            var status = registers[Status / 4];
            var asserted = status & registers[Control1 / 4] & 0xF0;
            var overrun = (status & Overrun) != 0 && Has(Control1, ReceiveInterrupt);
            IRQ.Set((asserted != 0 || overrun) && Has(Control1, UsartEnable));
        }

        private bool Has(int register, uint bits)
        {
            return (registers[register / 4] & bits) == bits;
        }

        // In clocks of the APB: USARTDIV times 16, or times 8 with OVER8 (section 30.3.4).
        private uint BitClocks
        {
            get
            {
                var divider = registers[BaudDivider / 4];
                return Has(Control1, OversamplingBy8) ? (divider >> 4) * 8 + (divider & 7) : divider;
            }
        }

        private ulong WordNanoseconds
        {
            get
            {
                var bits = (Has(Control1, NineBits) ? 11u : 10u) + (Has(Control2, TwoStopBits) ? 1u : 0u);
                return 1000000000UL * bits * BitClocks / frequency;
            }
        }

        private readonly IMachine machine;
        private readonly uint frequency;
        private readonly Dma dma;
        private readonly string transmitRequest;
        private readonly string receiveRequest;
        private readonly Delay shift;
        private readonly Delay arrival;
        private readonly Queue<byte> arriving = new Queue<byte>();
        private readonly uint[] registers = new uint[RegistersEnd / 4];
        private byte? waiting;
        private byte shifting;
        private byte received;

        private const int Status = 0x00;
        private const int Data = 0x04;
        private const int BaudDivider = 0x08;
        private const int Control1 = 0x0C;
        private const int Control2 = 0x10;
        private const int Control3 = 0x14;
        private const int RegistersEnd = 0x1C;

        private const uint Overrun = 1 << 3;
        private const uint ReceiveNotEmpty = 1 << 5;
        private const uint TransmissionComplete = 1 << 6;
        private const uint TransmitEmpty = 1 << 7;
        private const uint ClearedByZero = ReceiveNotEmpty | TransmissionComplete;

        private const uint ReceiverEnable = 1 << 2;
        private const uint TransmitterEnable = 1 << 3;
        private const uint ReceiveInterrupt = 1 << 5;
        private const uint NineBits = 1 << 12;
        private const uint UsartEnable = 1 << 13;
        private const uint OversamplingBy8 = 1 << 15;
        private const uint TwoStopBits = 1 << 13;
        private const uint DmaReceive = 1 << 6;
        private const uint DmaTransmit = 1 << 7;
    }
}
