using System;
using System.Linq;

using Antmicro.Renode.Core;
using Antmicro.Renode.Logging;
using Antmicro.Renode.Peripherals.Bus;

namespace Antmicro.Renode.Peripherals.Boardless
{
    // One stream: registers, flags and transfers (RM0090, section 10.3), with circular mode, double
    // buffer, half-transfer and the FIFO's rules for bursts.
    public sealed class DmaStream
    {
        public DmaStream(IMachine machine, Dma owner, IBusController bus, int index, bool mayCopy)
        {
            Index = index;
            this.owner = owner;
            this.bus = bus;
            this.mayCopy = mayCopy;
            IRQ = new GPIO();
            copy = new Delay(machine, owner, "copy of stream " + index, Copy);
            Reset();
        }

        public void Reset()
        {
            Array.Clear(registers, 0, registers.Length);
            registers[FifoControl / 4] = 0x21;
            Flags = 0;
            copy.Stop();
            UpdateInterrupt();
        }

        public uint Read(int register)
        {
            return registers[register / 4];
        }

        // What is protected while the stream is enabled stays (section 10.5.5).
        public void Write(int register, uint value)
        {
            if(register == Control)
            {
                WriteControl(value);
            }
            else if(register == FifoControl)
            {
                var writable = FifoErrorEnable | (Enabled ? 0u : 0x7u);
                registers[FifoControl / 4] = (registers[FifoControl / 4] & ~writable) | (value & writable);
            }
            else if(!Enabled)
            {
                registers[register / 4] = register == Count ? value & 0xFFFF : value;
            }
            else if(Has(DoubleBuffer) && (register == Memory0 || register == Memory1))
            {
                if(register == MemoryInUse)
                {
                    Fail();
                }
                else
                {
                    registers[register / 4] = value;
                }
            }
            UpdateInterrupt();
        }

        public void Clear(uint flags)
        {
            Flags &= ~flags;
            UpdateInterrupt();
        }

        public int Serve(IDmaClient client, int units)
        {
            var left = units;
            while(left > 0 && Enabled)
            {
                var count = (int)Math.Min((uint)left, registers[Count / 4]);
                if(!IsReachable(memory) || !Move(client, count))
                {
                    Fail();
                    break;
                }
                left -= count;
                CountDown(count);
            }
            return units - left;
        }

        public int Index { get; }

        public GPIO IRQ { get; }

        public uint Flags { get; private set; }

        public bool Enabled => Has(Enable);

        public int Channel => (int)(registers[Control / 4] >> 25) & 7;

        private void WriteControl(uint value)
        {
            var old = registers[Control / 4];
            if((old & Enable) == 0)
            {
                registers[Control / 4] = value & 0x0FEFFFFF;
                if((value & Enable) != 0)
                {
                    Begin();
                }
                return;
            }
            registers[Control / 4] = (old & ~WritableWhileEnabled) | (value & WritableWhileEnabled);
            if(!Enabled)
            {
                copy.Stop();
                if(Direction != MemoryToPeripheral)
                {
                    Flags |= TransferComplete; // what the FIFO held is flushed
                }
            }
        }

        private void Begin()
        {
            // The flags of the last transfer bar a new one (section 10.3.17).
            if((Flags & (TransferComplete | TransferError)) != 0 || registers[Count / 4] == 0)
            {
                registers[Control / 4] &= ~Enable;
                return;
            }
            if(Direction == MemoryToMemory)
            {
                registers[FifoControl / 4] |= FifoMode;
            }
            if(!BurstFits())
            {
                Flags |= FifoError;
                registers[Control / 4] &= ~Enable;
                return;
            }
            reload = registers[Count / 4];
            Rewind();
            if(Direction == MemoryToMemory)
            {
                if(mayCopy)
                {
                    copy.Start(reload * NanosecondsPerCopiedUnit, fromAccess: true);
                }
                else
                {
                    Fail();
                }
            }
        }

        // A memory burst must divide the FIFO threshold (table 48).
        private bool BurstFits()
        {
            var burst = bursts[(registers[Control / 4] >> 23) & 3];
            var threshold = 4 * ((registers[FifoControl / 4] & 3) + 1);
            return !UsesFifo || burst == 1 || threshold % (burst * MemoryUnit) == 0;
        }

        private void Rewind()
        {
            memory = registers[MemoryInUse / 4];
            peripheral = registers[PeripheralAddress / 4];
        }

        private bool Move(IDmaClient client, int count)
        {
            if(registers[PeripheralAddress / 4] != client.DataAddress)
            {
                owner.Log(LogLevel.Warning, "stream {0}: PAR is 0x{1:X8}, expected 0x{2:X8}",
                    Index, registers[PeripheralAddress / 4], client.DataAddress);
                return false;
            }
            if(Direction == PeripheralToMemory)
            {
                ToMemory(client.ReadData(Unit, count));
                return true;
            }
            for(var moved = 0; moved < count; moved++)
            {
                var unit = bus.ReadBytes(memory, Unit);
                memory += Has(MemoryIncrement) ? (uint)Unit : 0;
                client.WriteData(unit.Reverse().Aggregate(0u, (value, next) => value << 8 | next));
            }
            return true;
        }

        private void ToMemory(byte[] data)
        {
            if(Has(MemoryIncrement))
            {
                bus.WriteBytes(data, memory);
                memory += (uint)data.Length;
            }
            else
            {
                bus.WriteBytes(data.Skip(data.Length - MemoryUnit).ToArray(), memory);
            }
        }

        private void CountDown(int count)
        {
            var before = registers[Count / 4];
            var after = before - (uint)count;
            registers[Count / 4] = after;
            if(after <= reload / 2 && reload / 2 < before)
            {
                Flags |= HalfTransfer;
            }
            if(after == 0)
            {
                Complete();
            }
            UpdateInterrupt();
        }

        private void Complete()
        {
            Flags |= TransferComplete;
            if((Has(Circular) || Has(DoubleBuffer)) && Direction != MemoryToMemory)
            {
                if(Has(DoubleBuffer))
                {
                    registers[Control / 4] ^= CurrentTarget;
                }
                registers[Count / 4] = reload;
                Rewind();
            }
            else
            {
                registers[Control / 4] &= ~Enable;
            }
        }

        // Memory to memory: the source is PAR, the destination M0AR (section 10.3.6).
        private void Copy()
        {
            var size = (int)registers[Count / 4] * Unit;
            if(!IsReachable(memory) || !IsReachable(peripheral))
            {
                Fail();
                return;
            }
            ToMemory(Has(PeripheralIncrement)
                ? bus.ReadBytes(peripheral, size)
                : Enumerable.Repeat(bus.ReadBytes(peripheral, Unit), size / Unit).SelectMany(unit => unit).ToArray());
            CountDown((int)registers[Count / 4]);
        }

        // The core-coupled memory hangs on the D-bus of the core alone (section 2.1).
        private static bool IsReachable(uint address)
        {
            return address < 0x10000000 || address >= 0x10010000;
        }

        private void Fail()
        {
            Flags |= TransferError;
            registers[Control / 4] &= ~Enable;
            UpdateInterrupt();
        }

        private void UpdateInterrupt()
        {
            // DMEIE, TEIE, HTIE and TCIE stand one bit below their flags.
            var enabled = (registers[Control / 4] & 0x1E) << 1;
            var asserted = Flags & enabled & 0x3C;
            var fifo = (Flags & FifoError) != 0 && (registers[FifoControl / 4] & FifoErrorEnable) != 0;
            IRQ.Set(asserted != 0 || fifo);
        }

        private bool Has(uint bit)
        {
            return (registers[Control / 4] & bit) != 0;
        }

        private uint Direction => (registers[Control / 4] >> 6) & 3;

        private int Unit => 1 << (int)((registers[Control / 4] >> 11) & 3);

        private bool UsesFifo => (registers[FifoControl / 4] & FifoMode) != 0;

        private int MemoryUnit => UsesFifo ? 1 << (int)((registers[Control / 4] >> 13) & 3) : Unit;

        private int MemoryInUse => Has(DoubleBuffer) && Has(CurrentTarget) ? Memory1 : Memory0;

        private static readonly int[] bursts = { 1, 4, 8, 16 };

        private readonly Dma owner;
        private readonly IBusController bus;
        private readonly bool mayCopy;
        private readonly Delay copy;
        private readonly uint[] registers = new uint[6];
        private uint reload;
        private uint memory;
        private uint peripheral;

        private const int Control = 0x00;
        private const int Count = 0x04;
        private const int PeripheralAddress = 0x08;
        private const int Memory0 = 0x0C;
        private const int Memory1 = 0x10;
        private const int FifoControl = 0x14;

        private const uint Enable = 1 << 0;
        private const uint Circular = 1 << 8;
        private const uint PeripheralIncrement = 1 << 9;
        private const uint MemoryIncrement = 1 << 10;
        private const uint DoubleBuffer = 1 << 18;
        private const uint CurrentTarget = 1 << 19;
        private const uint WritableWhileEnabled = 0x1F;
        private const uint FifoMode = 1 << 2;
        private const uint FifoErrorEnable = 1 << 7;

        private const uint FifoError = 1 << 0;
        private const uint TransferError = 1 << 3;
        private const uint HalfTransfer = 1 << 4;
        private const uint TransferComplete = 1 << 5;

        private const uint PeripheralToMemory = 0;
        private const uint MemoryToPeripheral = 1;
        private const uint MemoryToMemory = 2;

        // A read and a write of two bus cycles each, at 168 MHz.
        private const ulong NanosecondsPerCopiedUnit = 24;
    }
}
