using System;

using Antmicro.Renode.Core;
using Antmicro.Renode.Core.Structure;
using Antmicro.Renode.Peripherals.Bus;
using Antmicro.Renode.Peripherals.I2C;

namespace Antmicro.Renode.Peripherals.Boardless
{
    // A device that may refuse its own address.
    public interface IAcknowledgingTarget : II2CPeripheral
    {
        bool Acknowledges();
    }

    // I2C as a polled or interrupt-driven master with 7-bit addresses (RM0090, chapter 27). Every
    // byte takes the time that CCR says, and reaches the target when its ninth bit is over.
    public sealed class I2c : SimpleContainer<II2CPeripheral>, IDoubleWordPeripheral, IKnownSize
    {
        public I2c(IMachine machine, uint frequency) : base(machine)
        {
            this.frequency = frequency;
            EventInterrupt = new GPIO();
            ErrorInterrupt = new GPIO();
            wire = new Delay(machine, this, "wire", WireDone);
            Reset();
        }

        public override void Reset()
        {
            Array.Clear(registers, 0, registers.Length);
            registers[RiseTime / 4] = 2;
            Release();
            UpdateInterrupts();
        }

        public uint ReadDoubleWord(long offset)
        {
            switch(offset)
            {
            case Data:
                return ReadData();
            case Status2:
                var status = registers[Status2 / 4];
                if((registers[Status1 / 4] & AddressDone) != 0)
                {
                    registers[Status1 / 4] &= ~AddressDone;
                    BeginData();
                    UpdateInterrupts();
                }
                return status;
            default:
                return offset < RegistersEnd ? registers[offset / 4] : 0;
            }
        }

        public void WriteDoubleWord(long offset, uint value)
        {
            switch(offset)
            {
            case Control1:
                WriteControl(value);
                break;
            case Data:
                WriteData((byte)value);
                break;
            case Status1:
                registers[Status1 / 4] &= value | ~Errors;
                break;
            case Status2:
                break;
            default:
                if(offset < RegistersEnd)
                {
                    registers[offset / 4] = value;
                }
                break;
            }
            UpdateInterrupts();
        }

        public GPIO EventInterrupt { get; }

        public GPIO ErrorInterrupt { get; }

        public long Size => 0x400;

        private void WriteControl(uint value)
        {
            if((value & SoftwareReset) != 0)
            {
                Reset();
                return;
            }
            registers[Control1 / 4] = value;
            if((value & PeripheralEnable) == 0)
            {
                Release();
            }
            else if(!wire.IsRunning)
            {
                ServeConditions(true);
            }
        }

        // Start or stop, if asked for and the bus is between bytes.
        private bool ServeConditions(bool fromAccess)
        {
            if((registers[Control1 / 4] & StartCondition) != 0)
            {
                Transmit(Phase.Starting, 1, fromAccess);
                return true;
            }
            var stretched = (registers[Status1 / 4] & AddressDone) != 0; // a stop waits for SR2 to be read
            if((registers[Control1 / 4] & StopCondition) != 0 && phase != Phase.Idle && !stretched)
            {
                Transmit(Phase.Stopping, 1, fromAccess);
                return true;
            }
            return false;
        }

        private void WriteData(byte value)
        {
            if((registers[Status1 / 4] & StartDone) != 0)
            {
                registers[Status1 / 4] &= ~StartDone;
                shifting = value;
                Transmit(Phase.Addressing, 9, true);
            }
            else if(phase == Phase.Writing && (registers[Status1 / 4] & AddressDone) == 0)
            {
                registers[Status1 / 4] &= ~ByteDone;
                if(wire.IsRunning)
                {
                    waiting = value;
                    registers[Status1 / 4] &= ~TransmitEmpty;
                }
                else
                {
                    shifting = value;
                    Transmit(Phase.Writing, 9, true);
                }
            }
        }

        private uint ReadData()
        {
            registers[Status1 / 4] &= ~(ReceiveNotEmpty | ByteDone);
            var value = registers[Data / 4];
            if(phase == Phase.Reading && !wire.IsRunning && acknowledged && !ServeConditions(true))
            {
                Transmit(Phase.Reading, 9, true);
            }
            UpdateInterrupts();
            return value;
        }

        // The address phase is over: the clock is no longer stretched.
        private void BeginData()
        {
            if(phase == Phase.Writing)
            {
                registers[Status1 / 4] |= TransmitEmpty;
                ServeConditions(true);
            }
            else if(phase == Phase.Reading)
            {
                Transmit(Phase.Reading, 9, true);
            }
        }

        private void Transmit(Phase next, uint bits, bool fromAccess)
        {
            phase = next;
            wire.Start(bits * BitNanoseconds, fromAccess);
        }

        private void WireDone()
        {
            switch(phase)
            {
            case Phase.Starting:
                Started();
                break;
            case Phase.Addressing:
                Addressed();
                break;
            case Phase.Writing:
                ByteSent();
                break;
            case Phase.Reading:
                ByteReceived();
                break;
            case Phase.Stopping:
                registers[Control1 / 4] &= ~StopCondition;
                target?.FinishTransmission();
                Release();
                ServeConditions(false);
                break;
            }
            UpdateInterrupts();
        }

        private void Started()
        {
            registers[Control1 / 4] &= ~StartCondition;
            registers[Status2 / 4] = Master | Busy;
            registers[Status1 / 4] &= ~(TransmitEmpty | ByteDone | AddressDone);
            registers[Status1 / 4] |= StartDone;
            waiting = null;
            phase = Phase.Refused; // until an address is written
        }

        private void Addressed()
        {
            var read = (shifting & 1) != 0;
            var answers = TryGetByAddress(shifting >> 1, out target);
            if(!answers || (target is IAcknowledgingTarget refusing && !refusing.Acknowledges()))
            {
                target = null;
                registers[Status1 / 4] |= AcknowledgeFailure;
                phase = Phase.Refused;
                ServeConditions(false);
                return;
            }
            registers[Status1 / 4] |= AddressDone;
            registers[Status2 / 4] |= read ? 0 : Transmitter;
            phase = read ? Phase.Reading : Phase.Writing;
        }

        private void ByteSent()
        {
            target.Write(new[] { shifting });
            if(waiting.HasValue)
            {
                shifting = waiting.Value;
                waiting = null;
                registers[Status1 / 4] |= TransmitEmpty;
                Transmit(Phase.Writing, 9, false);
            }
            else if(!ServeConditions(false))
            {
                registers[Status1 / 4] |= ByteDone;
            }
        }

        private void ByteReceived()
        {
            registers[Data / 4] = target.Read(1)[0];
            acknowledged = (registers[Control1 / 4] & Acknowledge) != 0;
            registers[Status1 / 4] |= ReceiveNotEmpty;
            ServeConditions(false); // else the clock is stretched until DR is read
        }

        private void Release()
        {
            wire?.Stop();
            phase = Phase.Idle;
            target = null;
            waiting = null;
            registers[Status2 / 4] = 0;
            registers[Status1 / 4] &= ~(StartDone | AddressDone | TransmitEmpty | ByteDone);
        }

        private void UpdateInterrupts()
        {
            var status = registers[Status1 / 4];
            var control = registers[Control2 / 4];
            var events = (status & Events) != 0
                || ((status & (TransmitEmpty | ReceiveNotEmpty)) != 0 && (control & BufferInterrupts) != 0);
            EventInterrupt.Set(events && (control & EventInterrupts) != 0);
            ErrorInterrupt.Set((status & Errors) != 0 && (control & ErrorInterrupts) != 0);
        }

        // Fast mode has 3 or 25 counts of CCR a bit, standard mode 2 (section 27.6.8).
        private ulong BitNanoseconds
        {
            get
            {
                var clock = registers[ClockControl / 4];
                var counts = (clock & FastMode) == 0 ? 2u : (clock & DutyCycle) == 0 ? 3u : 25u;
                return 1000000000UL * counts * (clock & 0xFFF) / frequency;
            }
        }

        private readonly uint frequency;
        private readonly Delay wire;
        private readonly uint[] registers = new uint[RegistersEnd / 4];
        private II2CPeripheral target;
        private Phase phase;
        private byte shifting;
        private byte? waiting;
        private bool acknowledged;

        private enum Phase
        {
            Idle,
            Starting,
            Addressing,
            Refused,
            Writing,
            Reading,
            Stopping,
        }

        private const int Control1 = 0x00;
        private const int Control2 = 0x04;
        private const int Data = 0x10;
        private const int Status1 = 0x14;
        private const int Status2 = 0x18;
        private const int ClockControl = 0x1C;
        private const int RiseTime = 0x20;
        private const int RegistersEnd = 0x28;

        private const uint PeripheralEnable = 1 << 0;
        private const uint StartCondition = 1 << 8;
        private const uint StopCondition = 1 << 9;
        private const uint Acknowledge = 1 << 10;
        private const uint SoftwareReset = 1 << 15;
        private const uint ErrorInterrupts = 1 << 8;
        private const uint EventInterrupts = 1 << 9;
        private const uint BufferInterrupts = 1 << 10;
        private const uint FastMode = 1 << 15;
        private const uint DutyCycle = 1 << 14;

        private const uint StartDone = 1 << 0;
        private const uint AddressDone = 1 << 1;
        private const uint ByteDone = 1 << 2;
        private const uint ReceiveNotEmpty = 1 << 6;
        private const uint TransmitEmpty = 1 << 7;
        private const uint AcknowledgeFailure = 1 << 10;
        private const uint Events = StartDone | AddressDone | ByteDone;
        private const uint Errors = 0xDF00;

        private const uint Master = 1 << 0;
        private const uint Busy = 1 << 1;
        private const uint Transmitter = 1 << 2;
    }
}
